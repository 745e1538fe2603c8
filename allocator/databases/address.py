"""Addresses of databases, taken apart without ever showing a password."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_FILE = re.compile(r".+\.(db|sqlite|sqlite3)")


class AddressError(ValueError):
    """An address that can't be used as it is written; the message never repeats a password."""


@dataclass(frozen=True)
class Address:
    """Where a database is.

    Attributes
    ----------
    kind : str
        ``sqlite`` or ``postgresql``.
    target : str
        The file of SQLite; the URL for PostgreSQL's own library, which may hold a password.
    schema : str or None
        Schema of PostgreSQL that holds the tables; None = the one the server gives.
    shown : str
        The address as it may be told: without any password.
    secrets : tuple of str
        What must never be told.
    """

    kind: str
    target: str = field(repr=False)
    schema: str | None
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def scrubbed(self, text: str) -> str:
        """A text of the database's driver without what must never be told."""
        return scrubbed(text, self.secrets)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """A text without what must never be told."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def parse_address(text: str, environment: Mapping[str, str] | None = None) -> Address:
    """Take an address apart.

    Parameters
    ----------
    text : str
        ``sqlite:///FILE`` (four slashes for an absolute path) or a path that ends in .db, .sqlite or .sqlite3;
        ``postgresql://[user@][host][:port]/database[?schema=NAME&...]``; ``env:NAME``: the address in that environment variable.
    environment : mapping, optional
        In place of the process's.

    Raises
    ------
    AddressError
        When it is none of these, or holds a password outside the environment (where every process of the machine could read it).
    """
    return _parsed(*from_environment(text, environment))


def from_environment(text: str, environment: Mapping[str, str] | None = None) -> tuple[str, bool]:
    """Take ``env:NAME`` for the address in that variable; says whether it may hold secrets, as only such a one may.

    Raises
    ------
    AddressError
        When the variable holds nothing.
    """
    if not text.startswith("env:"):
        return text, False
    name = text[4:]
    value = (os.environ if environment is None else environment).get(name, "")
    if not value or value.startswith("env:"):
        raise AddressError(
            f"environment variable {name} holds no address; set it to sqlite:///FILE or postgresql://..."
        )
    return value, True


def is_database(text: str) -> bool:
    """Whether a text is the address of a database."""
    return text.partition(":")[0] in ("sqlite", "postgresql", "postgres") or (
        "://" not in text and _FILE.fullmatch(text) is not None
    )


def _parsed(text: str, secret: bool) -> Address:
    scheme = text.partition(":")[0]
    if scheme == "sqlite":
        if not text.startswith("sqlite:///") or len(text) == len("sqlite:///"):
            raise AddressError("a SQLite address is sqlite:///FILE, with four slashes for an absolute path")
        path = unquote(text[len("sqlite:///") :])
        return Address("sqlite", path, None, f"sqlite:///{path}")
    if scheme in ("postgresql", "postgres"):
        return _postgresql(text, secret)
    if "://" not in text and _FILE.fullmatch(text):
        return Address("sqlite", text, None, f"sqlite:///{Path(text)}")
    raise AddressError(
        "not the address of a database: expected sqlite:///FILE, a path ending in .db or .sqlite, "
        f"postgresql://host/database or env:NAME, found one that begins with {text[:12]!r}"
    )


def _postgresql(text: str, secret: bool) -> Address:
    parts = urlsplit(text)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    who, at, where = parts.netloc.rpartition("@")
    user, colon, written = who.partition(":")
    inside = (query.get("password", ""), query.get("sslpassword", ""))
    secrets = [word for word in (written, unquote(written), *inside) if word]
    if secrets and not secret:
        raise AddressError(
            "the address holds a password; take it out and give it in PGPASSWORD, in ~/.pgpass, "
            "or put the whole address into an environment variable and write env:NAME"
        )
    schema = query.pop("schema", None)
    target = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query, quote_via=quote), ""))
    told = {key: "***" if key in ("password", "sslpassword") else value for key, value in query.items()}
    told |= {} if schema is None else {"schema": schema}
    netloc = f"{user}{':***' if colon else ''}{at}{where}"
    shown = urlunsplit(("postgresql", netloc, parts.path, urlencode(told, safe="*/"), ""))
    return Address("postgresql", target, schema, shown, tuple(sorted({*secrets, quote(written)} - {""}, key=len))[::-1])
