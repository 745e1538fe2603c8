"""A network folder of an object store: the same files, the same findings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa
import pyarrow.fs as pafs

from allocator.stores import Store
from allocator.tables.columns import TableSpec
from allocator.tables.findings import Faults, Finding, InputError
from allocator.tables.places import Readable
from allocator.tables.settings import FILE, Settings, read_settings
from allocator.tables.sources import Raw, find_tables, read_raw


@dataclass(frozen=True)
class Stored:
    """A file of the store; None as its facts when there is none."""

    store: Store
    name: str
    facts: pafs.FileInfo | None

    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return self.facts is not None and bool(self.facts.is_file)

    def size(self) -> int:
        """Its size. [bytes]"""
        return int(self.facts.size or 0) if self.facts is not None else 0

    def read(self) -> bytes:
        """All of it."""
        with self.open() as handle:
            data: bytes = handle.read()
        if len(data) != self.size():
            raise OSError(f"{len(data):,} bytes came of {self.size():,}")
        return data

    def open(self) -> pa.NativeFile:
        """It, for reading at any place."""
        return self.store.open(self.name)


class StoredFolder:
    """A folder of an object store."""

    def __init__(self, store: Store) -> None:
        self.shown, self._store = store.shown, store
        self._files = {info.base_name: info for info in store.listing()}
        if not self._files:
            rule, mend = "holds nothing", f"give the folder that holds {FILE}, and check its name and who may read it"
            raise InputError([Finding("network", None, None, None, rule, mend, store.shown)])

    def settings(self, faults: Faults) -> Settings | None:
        """Read network.toml."""
        return read_settings(Stored(self._store, FILE, self._files.get(FILE)), None, faults)

    def find(self, faults: Faults) -> dict[str, Readable]:
        """Find a file for each table."""
        files = [Stored(self._store, name, facts) for name, facts in self._files.items()]
        self._read = find_tables(files, faults)
        return {name: partial(self._raw, file) for name, file in self._read.items()}

    def _raw(self, file: Stored, spec: TableSpec, faults: Faults) -> Raw | None:
        before = len(faults.whole)
        raw = read_raw(file, spec, faults)
        # a store's words about a file that stops in the middle are told without its keys
        scrubbed = self._store.address.scrubbed
        faults.whole[before:] = [replace(one, rule=scrubbed(one.rule)) for one in faults.whole[before:]]
        return raw

    def left(self, faults: Faults) -> list[str]:
        """Report files that were written while they were read: tables of two exports don't belong together."""
        now = {info.base_name: _state(info) for info in self._store.listing()}
        for name in [FILE, *(file.name for file in self._read.values())]:
            was = self._files.get(name)
            if was is not None and now.get(name) != _state(was):
                table = name.partition(".")[0]
                faults.file(table, name, "was written anew while it was read", "run again when the export is finished")
        return []


def _state(info: pafs.FileInfo) -> tuple[int, int]:
    return int(info.size or 0), int(info.mtime_ns or 0)
