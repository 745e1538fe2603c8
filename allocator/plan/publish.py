"""Publish a plan folder: staged beside its place, synced, manifest last, swapped in by rename."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

TABLES = (
    "shipments",
    "reserves",
    "admissions",
    "projections",
    "unmet",
    "exceptions",
    "lot_moves",
    "ledger",
    "kpis",
    "bookings",
    "split",
    "hedge",
)
"""Tables of a plan, in the order they are written."""
OLD = "-old"
"""End of the name that an old plan bears while it is swapped in two steps."""
GROUP = 1 << 20
"""Rows of a row group."""


@dataclass(frozen=True)
class Kind:
    """What a published folder is.

    Attributes
    ----------
    mark : str
        Key of ``manifest.json`` that no other kind has (other programs have a manifest.json too).
    called : str
        The kind in words, after "is not".
    kept : str
        Subfolder that stays when the folder is published again; blank: none.
    """

    mark: str
    called: str
    kept: str = ""

    def replaces(self, target: Path) -> bool:
        """Whether a path is a folder of this kind, what an interrupted run left (what is kept), or empty."""
        if not target.is_dir():
            return False
        try:
            manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return all(path.name == self.kept for path in target.iterdir())
        except ValueError:
            return False
        return isinstance(manifest, dict) and self.mark in manifest


PLAN = Kind("plan_id", "a plan folder (no manifest.json of a plan)")


class OutputHeldError(RuntimeError):
    """Another run holds the output folder."""


class NotAPlanError(RuntimeError):
    """The output path holds something else than what would be published there."""


@contextmanager
def held(target: Path, kind: Kind = PLAN) -> Iterator[None]:
    """Hold an output folder for this process.

    Raises
    ------
    OutputHeldError
        When another process holds it; says which.
    NotAPlanError
        When the path exists and is not a folder of this kind (it would be replaced).
    """
    target = target.resolve()
    if target.exists() and not kind.replaces(target):
        raise NotAPlanError(f"'{target}' exists and is not {kind.called}; give another -o or remove it yourself")
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.parent / f".{target.name}.lock"
    with _locked(path, target) as handle:
        try:
            handle.truncate(0)
            handle.write(f"process {os.getpid()}")
            handle.flush()
            _tidy(target)
            yield
        finally:
            path.unlink(missing_ok=True)


def _tidy(target: Path) -> None:
    """Take away what a killed run left beside a folder; the lock says that nobody uses it."""
    for left in sorted(target.parent.glob(f".{glob.escape(target.name)}.staging-*")):
        if left.name.endswith(OLD) and not target.exists():
            left.rename(target)  # killed between the two renames
        else:
            shutil.rmtree(left, ignore_errors=True)


def _locked(path: Path, target: Path) -> TextIO:
    """The lock file, open and locked."""
    while True:
        handle = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle.fileno()).st_ino == path.stat().st_ino:
                return handle
            handle.close()  # its last owner took the name away after we opened it: lock the new one
        except FileNotFoundError:
            handle.close()
        except OSError:
            handle.seek(0)
            owner = handle.read().strip() or "another process"
            handle.close()
            raise OutputHeldError(f"'{target}' is held by {owner}; wait for it or give another -o") from None


@contextmanager
def staging(target: Path) -> Iterator[Path]:
    """A fresh folder beside ``target``; gone at the end unless published."""
    target = target.resolve()
    folder = target.parent / f".{target.name}.staging-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write one table: no index, dates as date32, the same bytes for the same content.

    A row group at a time goes over to Arrow, so that words, coded or not, are never all spelled out at once.
    """
    with contextlib.ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for first in range(0, max(len(frame), 1), GROUP):
            part = frame.iloc[first : first + GROUP]
            columns = [_arrow(part[name]) for name in frame.columns]
            table = pa.Table.from_arrays(columns, names=[str(name) for name in frame.columns])
            if writer is None:
                options = {"compression": "zstd", "write_page_checksum": True}
                writer = stack.enter_context(pq.ParquetWriter(path, table.schema, **options))
            writer.write_table(table, row_group_size=GROUP)


def _arrow(column: pd.Series[Any]) -> pa.Array | pa.ChunkedArray:
    """Give a column in the type it is published in."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pa.array(column, from_pandas=True).cast(pa.timestamp("s")).cast(pa.date32())
    if pd.api.types.is_bool_dtype(column.dtype):
        return pa.array(column.to_numpy(), type=pa.bool_())
    if pd.api.types.is_numeric_dtype(column.dtype):
        return pa.array(column.to_numpy(), type=pa.float64(), from_pandas=True)
    if isinstance(column.dtype, pd.StringDtype):
        return pa.array(column, from_pandas=True).cast(pa.string())
    if isinstance(column.dtype, pd.CategoricalDtype) and len(column.cat.categories):
        words = pa.array(column.cat.categories.to_numpy(dtype=object), type=pa.string())
        codes = column.cat.codes.to_numpy()
        return words.take(pa.array(codes, mask=codes < 0))
    return pa.array(column.to_numpy(dtype=object), type=pa.string(), from_pandas=True)


def write_json(value: Mapping[str, Any], path: Path) -> None:
    """Write a JSON document, keys in their order, no NaN."""
    path.write_text(
        json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n", encoding="utf-8"
    )


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as handle:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(handle, "sha256").hexdigest()
    return found


def publish(folder: Path, target: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest into a staged folder and swap the folder in.

    A reader sees the old plan or the new one, never a mixture.

    Raises
    ------
    OSError
        When the disk refuses; the old plan stays.
    """
    write_json(manifest, folder / "manifest.json")
    for path in sorted(folder.rglob("*")):
        _sync(path)
    _sync(folder)
    target = target.resolve()
    swapped = target.exists()
    if swapped:
        _exchange(folder, target)
    else:
        folder.rename(target)
    try:
        _sync(target.parent)
    except OSError:
        # the swap may not outlive a crash: take it back, what stood before stands again
        if swapped:
            _exchange(folder, target)
        else:
            target.rename(folder)
        raise


def publish_again(folder: Path, target: Path, manifest: Mapping[str, Any], kind: Kind) -> None:
    """Publish a staged folder in place of one of its kind: what that keeps is brought along, the manifest names the files that are new."""
    files = digests(folder)
    if kind.kept and (target / kind.kept).is_dir():
        _link(target / kind.kept, folder / kind.kept)
    publish(folder, target, {**manifest, "files": files})


def _link(source: Path, target: Path) -> None:
    """Bring what is kept along without copying it."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if any(part.startswith(".") for part in path.relative_to(source).parts):
            continue  # locks and staging of a run that is no more
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, place)


def _exchange(folder: Path, target: Path) -> None:
    """Swap two folders in one step where the system can; otherwise two renames."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None, use_errno=True)
        at_fdcwd, rename_exchange = -100, 2
        rename = getattr(libc, "renameat2", None)
        if rename is not None:
            if rename(at_fdcwd, os.fsencode(folder), at_fdcwd, os.fsencode(target), rename_exchange) == 0:
                return
            code = ctypes.get_errno()
            if code not in (errno.ENOSYS, errno.EINVAL):
                raise OSError(code, os.strerror(code), str(target))
    old = folder.with_name(folder.name + OLD)
    shutil.rmtree(old, ignore_errors=True)
    target.rename(old)
    try:
        folder.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
