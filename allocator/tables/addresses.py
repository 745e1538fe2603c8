"""Networks named by an address: which kind it is, and the place behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from allocator.databases import Address, AddressError, DatabaseError, from_environment, is_database, parse_address
from allocator.stores import StoreAddress, StoreError, is_store, opened_store, parse_store
from allocator.tables.findings import Finding, InputError
from allocator.tables.places import Place


def address_of(text: str) -> Address | StoreAddress:
    """Take the address of a database or of an object store apart.

    Raises
    ------
    AddressError
        When it is neither, or holds a secret outside the environment.
    """
    value = from_environment(text)[0]
    if is_store(value):
        return parse_store(text)
    if is_database(value):
        return parse_address(text)
    raise AddressError(
        f"not an address that is known: expected s3://, gs://, abfs://, file://, sqlite:///, postgresql:// or env:NAME, "
        f"found one that begins with {value.partition('://')[0][:12]!r}"
    )


@contextmanager
def opened_address(text: str) -> Iterator[Place]:
    """Open the place of a network that is named by an address.

    Raises
    ------
    InputError
        When the address is wrong, or what it names can't be reached or stops answering.
    """
    shown = "network"
    try:
        address = address_of(text)
        shown = address.shown
        if isinstance(address, StoreAddress):
            from allocator.tables.stored import StoredFolder

            yield StoredFolder(opened_store(address))
            return
        from allocator.tables.database import opened_database

        with opened_database(address) as place:
            yield place
    except AddressError as error:
        rule, _, mend = str(error).partition("; ")
        raise InputError([_whole(rule, mend or "see docs/sources.md", shown)]) from None
    except (DatabaseError, StoreError) as error:
        said = str(error).removeprefix(f"{shown}: ")
        rule, mend = f"can't be read ({said})", "check that it is there, answers, and may be read, and run again"
        raise InputError([_whole(rule, mend, shown)]) from None


def _whole(rule: str, mend: str, source: str) -> Finding:
    return Finding("network", None, None, None, rule, mend, source)
