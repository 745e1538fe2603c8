"""Where a network comes from and a plan goes to, as the command line names it: a path, or an address without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    Where = click.ParamType[str | Path]
    Address = click.ParamType[str]
else:
    Where = Address = click.ParamType  # no generic class in clicks up to 8.3


class NetworkPlace(Where):
    """A folder or file of this machine as a path; the address of an object store or database as it was written, checked."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        if isinstance(value, Path):
            return value
        from allocator.tables.places import is_address

        return checked(self, str(value), param, ctx) if is_address(str(value)) else Path(str(value))


class Target(Address):
    """The address of a database or object store to publish to, checked."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return checked(self, str(value), param, ctx)


class PlanPlace(Where):
    """A plan folder of this machine as a path; the address of one in an object store as it was written, checked."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        if isinstance(value, Path):
            return value
        text = str(value)
        if "://" not in text and not text.startswith("env:"):
            return Path(text)
        from allocator.databases import Address as Database
        from allocator.tables.addresses import address_of

        checked(self, text, param, ctx)
        if isinstance(address_of(text), Database):
            self.fail("a plan folder can't be in a database; give a folder, and the database with --to", param, ctx)
        return text


def checked(kind: click.ParamType, text: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # type: ignore[type-arg, unused-ignore]
    """Refuse an address that is wrong or holds a secret; the message holds none."""
    from allocator.databases import AddressError
    from allocator.tables.addresses import address_of

    try:
        address_of(text)
    except AddressError as error:
        kind.fail(str(error), param, ctx)
    return text
