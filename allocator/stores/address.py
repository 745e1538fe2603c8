"""Addresses of object stores, taken apart without ever showing a key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from allocator.databases.address import AddressError, from_environment, scrubbed

SCHEMES = ("s3", "gs", "gcs", "abfs", "abfss", "file")
_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)})://")
_OPTIONS = {
    "s3": ("region", "scheme", "endpoint_override"),
    "gs": ("scheme", "endpoint_override", "retry_limit_seconds", "project_id"),
    "abfs": ("blob_storage_authority", "dfs_storage_authority", "enable_tls"),
    "file": (),
}
"""What may follow the ``?``; none of it is secret."""


@dataclass(frozen=True)
class StoreAddress:
    """Where a folder of an object store is.

    Attributes
    ----------
    scheme : str
        ``s3``, ``gs``, ``abfs`` or ``file``.
    url : str
        For pyarrow.fs; may hold keys.
    shown : str
        The address as it may be told: without keys and options.
    secrets : tuple of str
        What must never be told.
    """

    scheme: str
    url: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def scrubbed(self, text: str) -> str:
        """A text of the store's driver without what must never be told."""
        return scrubbed(text, self.secrets)


def is_store(text: str) -> bool:
    """Whether a text is the address of an object store."""
    return _ADDRESS.match(text) is not None


def parse_store(text: str) -> StoreAddress:
    """Take an address apart.

    Parameters
    ----------
    text : str
        ``s3://bucket/path``, ``gs://bucket/path``, ``abfs://container@account.dfs.core.windows.net/path``, ``file:///path``; or
        ``env:NAME``: the address in that environment variable.

    Raises
    ------
    AddressError
        When it is none of these, has an option that is not known, or holds a key outside the environment.
    """
    value, secret = from_environment(text)
    if not is_store(value):
        raise AddressError(f"not the address of an object store: expected {', '.join(f'{s}://' for s in SCHEMES)}")
    parts = urlsplit(value)
    scheme = {"gcs": "gs", "abfss": "abfs"}.get(parts.scheme, parts.scheme)
    who, at, where = parts.netloc.rpartition("@")
    user, colon, written = who.partition(":")
    if colon and not secret:
        raise AddressError(
            "the address holds a key; take it out and give it as the store's own tools take it (environment variables, "
            "a profile, the machine's role), or put the whole address into an environment variable and write env:NAME"
        )
    known = _OPTIONS[scheme]
    for key, _ in parse_qsl(parts.query, keep_blank_values=True):
        if key not in known:
            mend = f"the options are {', '.join(known)}" if known else "leave it out"
            raise AddressError(f"{key[:40]!r} is not an option of such an address; {mend}")
    if not parts.path.strip("/") and not where:
        raise AddressError(f"the address names no folder; write {scheme}://bucket/folder")
    secrets = {user, written, unquote(user), unquote(written)} - {""} if colon else set()
    shown = urlunsplit((parts.scheme, f"***{at}{where}" if colon else parts.netloc, parts.path.rstrip("/"), "", ""))
    return StoreAddress(scheme, value, shown, tuple(sorted(secrets, key=len))[::-1])
