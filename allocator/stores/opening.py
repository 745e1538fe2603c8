"""A folder of an object store through pyarrow.fs: what lies in it, and its files as streams."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from allocator.stores.address import StoreAddress

CHUNK = 8 << 20
"""Bytes moved at a time."""


class StoreError(OSError):
    """A store that refuses; one line, without keys."""


class Store:
    """One folder of a store.

    Parameters
    ----------
    system : pyarrow.fs.FileSystem
    root : str
        The folder's path in it.
    address : StoreAddress
    """

    def __init__(self, system: pafs.FileSystem, root: str, address: StoreAddress) -> None:
        self._system, self._root, self.address = system, root.rstrip("/"), address
        self.shown = address.shown

    def listing(self, under: str = "") -> list[pafs.FileInfo]:
        """What lies directly in the folder, by name; nothing where there is no such folder.

        Raises
        ------
        StoreError
        """
        with told(self.address):
            found = self._system.get_file_info(pafs.FileSelector(self._at(under), allow_not_found=True))
            return sorted(found, key=lambda info: str(info.base_name))

    def open(self, name: str) -> pa.NativeFile:
        """A file for reading at any place of it."""
        with told(self.address):
            return self._system.open_input_file(self._at(name))

    def size(self, name: str) -> int | None:
        """Bytes of a file; None where there is none."""
        with told(self.address):
            info = self._system.get_file_info(self._at(name))
        return int(info.size) if info.is_file else None

    def put(self, name: str, source: Any) -> int:
        """Write a file from a readable one, a piece at a time; gives its size.

        Raises
        ------
        StoreError
            When the store refuses, or has taken less than was sent.
        """
        place, sent = self._at(name), 0
        with told(self.address):
            if self.address.scheme == "file":
                self._system.create_dir(posixpath.dirname(place), recursive=True)
            with self._system.open_output_stream(place) as stream:
                while piece := source.read(CHUNK):
                    stream.write(piece)
                    sent += len(piece)
        if (there := self.size(name)) != sent:
            raise StoreError(f"{self.shown}: {name} has {there} bytes after {sent} were written; write it again")
        return sent

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


@contextmanager
def told(address: StoreAddress) -> Iterator[None]:
    """Tell what the store says in one line and without keys."""
    try:
        yield
    except StoreError:
        raise
    except (OSError, pa.ArrowException) as error:
        lines = str(error).strip().splitlines()
        said = lines[0][:300] if lines else type(error).__name__
        raise StoreError(f"{address.shown}: {address.scrubbed(said)}") from None


def opened_store(address: StoreAddress) -> Store:
    """Open the folder that an address names.

    Raises
    ------
    StoreError
        When pyarrow has no such file system here, or the store refuses.
    """
    with told(address):
        system, root = pafs.FileSystem.from_uri(address.url)
        return Store(system, root, address)
