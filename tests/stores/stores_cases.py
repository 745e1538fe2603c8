"""A store in memory behind pyarrow.fs, which fails where a test says."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs

from allocator.stores import Store, StoreAddress, parse_store


class Memory(pafs.FileSystemHandler):  # type: ignore[misc]
    """Objects by name; ``fault(what, name)`` may raise before anything is done, ``read`` and ``write`` in the middle of it."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.files, self.times, self.opened = dict(files or {}), dict[str, int](), list[str]()
        self.cut = "nothing"
        """Files whose names end so arrive without their last byte."""
        self.fault: Callable[[str, str], None] = lambda what, name: None

    def get_type_name(self) -> str:
        return "memory"

    def get_file_info(self, paths: list[str]) -> list[pafs.FileInfo]:
        return [self._info(path) for path in paths]

    def _info(self, path: str) -> pafs.FileInfo:
        if path not in self.files:
            return pafs.FileInfo(path, pafs.FileType.NotFound)
        size = len(self.files[path])
        return pafs.FileInfo(path, pafs.FileType.File, size=size, mtime_ns=self.times.get(path, 1))

    def get_file_info_selector(self, selector: pafs.FileSelector) -> list[pafs.FileInfo]:
        self.fault("list", selector.base_dir)
        inside = f"{selector.base_dir}/"
        return [self._info(path) for path in self.files if path.startswith(inside) and "/" not in path[len(inside) :]]

    def open_input_file(self, path: str) -> pa.PythonFile:
        self.fault("open", path)
        self.opened.append(path)
        return pa.PythonFile(_Reader(self, path), mode="r")

    def open_output_stream(self, path: str, metadata: Any) -> pa.PythonFile:
        self.fault("create", path)
        return pa.PythonFile(_Writer(self, path), mode="w")

    def normalize_path(self, path: str) -> str:
        return path

    def _unused(self, *_: Any) -> None:
        raise NotImplementedError

    create_dir = delete_dir = delete_dir_contents = delete_file = delete_root_dir_contents = _unused
    copy_file = move = open_append_stream = open_input_stream = _unused


class _Reader(io.BytesIO):
    def __init__(self, memory: Memory, path: str) -> None:
        super().__init__(memory.files[path])
        self._memory, self._path = memory, path

    def read(self, size: int | None = -1) -> bytes:
        self._memory.fault("read", self._path)
        return super().read(size)


class _Writer(io.BytesIO):
    def __init__(self, memory: Memory, path: str) -> None:
        super().__init__()
        self._memory, self._path = memory, path

    def write(self, data: Any) -> int:
        self._memory.fault("write", self._path)
        return super().write(data)

    def close(self) -> None:
        if not self.closed:
            short = self._path.endswith(self._memory.cut)
            self._memory.files[self._path] = self.getvalue()[: -1 if short else None]
        super().close()


def store_of(memory: Memory, root: str = "bucket/net", address: StoreAddress | None = None) -> Store:
    """The store as the program opens it."""
    return Store(pafs.PyFileSystem(memory), root, address or parse_store(f"s3://{root}"))
