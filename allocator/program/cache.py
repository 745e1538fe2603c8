"""Compiled blocks kept on disk, by a hash of the network's structure, the laws and the versions that compiled them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from dataclasses import fields
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import scipy.sparse as sp

from allocator.program.template import Linear, Template, compile_block
from allocator_models.structure import Structure

FOLDER = "ALLOCATOR_CACHE"
"""Environment variable: the folder to keep compiled blocks in; empty for none."""
KEEP = 64
"""Compiled blocks kept, the latest used."""
_LINEAR = ("coefficients", "rhs", "cost")


def compiled(structure: Structure) -> Template:
    """The compiled block of a structure, from disk where it was compiled before.

    A folder that can't be written or read costs a compilation, nothing else.
    """
    folder = place()
    if folder is None:
        return compile_block(structure)
    path = folder / f"block-{fingerprint(structure)}.npz"
    with contextlib.suppress(OSError, ValueError, KeyError, EOFError, BadZipFile):
        found = _read(path, structure)
        os.utime(path)
        return found
    template = compile_block(structure)
    with contextlib.suppress(OSError):
        _write(template, path)
        _prune(folder)
    return template


def fingerprint(structure: Structure) -> str:
    """Hash of everything that a compiled block depends on."""
    digest = hashlib.sha256(_code().encode())
    for field in fields(structure):
        value = getattr(structure, field.name)
        array = np.ascontiguousarray(value)
        digest.update(f"{field.name}:{array.dtype}:{array.shape}:".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:40]


@cache
def _code() -> str:
    """Hash of the laws, the compiler of the block, and Pyomo's version."""
    digest = hashlib.sha256(version("pyomo").encode())
    for package in ("allocator_models", "allocator.program"):
        root = Path(str(files(package)))
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def place() -> Path | None:
    chosen = os.environ.get(FOLDER)
    if chosen is not None:
        return Path(chosen) if chosen else None
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "inventory-allocator"


def _write(template: Template, path: Path) -> None:
    arrays: dict[str, Any] = {
        name: getattr(template, name) for name in ("variable", "position", "law", "place", "sense", "indptr", "indices")
    }
    for name in _LINEAR:
        linear: Linear = getattr(template, name)
        arrays[f"{name}.constant"] = linear.constant
        arrays |= {f"{name}.{part}": getattr(linear.symbolic, part) for part in ("data", "indices", "indptr", "shape")}
    head = json.dumps({"symbols": template.symbols, "offsets": template.symbol_offsets})
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as stream:
        np.savez(stream, head=np.array(head), **arrays)
    Path(stream.name).replace(path)


def _read(path: Path, structure: Structure) -> Template:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as found:
        head = json.loads(str(found["head"]))
        linear = {
            name: Linear(
                found[f"{name}.constant"],
                sp.csr_matrix(
                    (found[f"{name}.data"], found[f"{name}.indices"], found[f"{name}.indptr"]),
                    shape=tuple(found[f"{name}.shape"]),
                ),
            )
            for name in _LINEAR
        }
        plain = {name: found[name] for name in ("variable", "position", "law", "place", "sense", "indptr", "indices")}
    parts: dict[str, Any] = plain | linear
    return Template(structure=structure, symbol_offsets=head["offsets"], symbols=int(head["symbols"]), **parts)


def _prune(folder: Path) -> None:
    kept = sorted(folder.glob("block-*.npz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in kept[KEEP:]:
        path.unlink(missing_ok=True)
