"""Where a network lies: a local folder, a folder of an object store, or a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from allocator.tables.columns import TableSpec
from allocator.tables.findings import Faults, Finding, InputError
from allocator.tables.settings import FILE, Settings, read_settings
from allocator.tables.sources import Local, Raw, find_tables, read_raw

Readable = Callable[[TableSpec, Faults], Raw | None]
"""Reads one table's cells; None if it is no good, which is then reported."""


class Place(Protocol):
    """A network that can be read.

    Attributes
    ----------
    shown : str
        What it is called, without secrets.
    """

    @property
    def shown(self) -> str:
        """What it is called, without secrets."""

    def settings(self, faults: Faults) -> Settings | None:
        """Read the settings; faults are reported and None returned."""

    def find(self, faults: Faults) -> dict[str, Readable]:
        """Return how each table that is there is read, reporting strays, doubles and absent ones."""

    def left(self, faults: Faults) -> list[str]:
        """Look back when all is read: report what changed meanwhile, and return what is worth noting."""


class Folder:
    """A folder of this machine."""

    def __init__(self, folder: Path, ignore: frozenset[str] = frozenset()) -> None:
        self.folder, self.shown, self._ignore = folder, str(folder), ignore

    def settings(self, faults: Faults) -> Settings | None:
        """Read network.toml."""
        return read_settings(Local(self.folder / FILE), self.folder, faults)

    def find(self, faults: Faults) -> dict[str, Readable]:
        """Find a file for each table."""
        files = find_tables([Local(path) for path in self.folder.iterdir()], faults, self._ignore)
        return {name: partial(read_raw, file) for name, file in files.items()}

    def left(self, faults: Faults) -> list[str]:
        """Nothing to add."""
        return []


def is_address(given: str | Path) -> bool:
    """Whether a network is named by an address, not by the path of a folder or file."""
    if isinstance(given, Path):
        return False
    from allocator.databases.address import is_database
    from allocator.stores.address import is_store

    if given.startswith("env:") or "://" in given or is_store(given):
        return True
    return is_database(given) and not Path(given).is_dir()


def called(given: str | Path) -> str:
    """Return a short name for a network: the last part of its path or address."""
    if isinstance(given, Path) or not is_address(given):
        return Path(given).resolve().name
    from allocator.tables.addresses import address_of

    return address_of(given).shown.partition("?")[0].rstrip("/").rpartition("/")[2] or "network"


@contextmanager
def opened(given: str | Path) -> Iterator[Place]:
    """Open a network's place.

    Raises
    ------
    InputError
        When there is nothing of that kind, or it can't be reached.
    """
    if isinstance(given, str) and is_address(given):
        from allocator.tables.addresses import opened_address

        with opened_address(given) as place:
            yield place
        return
    folder = Path(given)
    if not folder.is_dir():
        rule, mend = "is not a folder", f"give the folder that holds {FILE}"
        raise InputError([Finding("network", None, None, str(folder), rule, mend, "network")])
    yield Folder(folder)
