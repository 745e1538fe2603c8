"""Compiled blocks kept on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allocator.network import build_network
from allocator.program.cache import FOLDER, compiled, fingerprint
from allocator.program.structure import build_structure
from allocator.program.template import Template, compile_block
from allocator.tables import read_tables
from allocator_models.structure import Structure
from tests.program.networks import CASES, write_case


@pytest.fixture
def structure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Structure:
    """A structure, and an empty folder for compiled blocks."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    return build_structure(build_network(read_tables(write_case(CASES[0], tmp_path))), 2)


def _same(one: Template, two: Template) -> bool:
    plain = ("variable", "position", "law", "place", "sense", "indptr", "indices")
    if any(not np.array_equal(getattr(one, name), getattr(two, name)) for name in plain):
        return False
    return one.symbol_offsets == two.symbol_offsets and all(
        np.array_equal(getattr(one, name).constant, getattr(two, name).constant)
        and (getattr(one, name).symbolic != getattr(two, name).symbolic).nnz == 0
        for name in ("coefficients", "rhs", "cost")
    )


def test_block_read_back_is_the_block_compiled(structure: Structure, tmp_path: Path) -> None:
    """The second time nothing is compiled, and the same comes back."""
    first = compiled(structure)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"block-{fingerprint(structure)}.npz"]
    assert _same(first, compile_block(structure))
    assert _same(compiled(structure), first)


def test_other_structure_has_another_fingerprint(structure: Structure) -> None:
    """Everything in a structure counts."""
    assert fingerprint(replace(structure, committed=structure.committed + 1)) != fingerprint(structure)


def test_broken_file_is_compiled_anew(structure: Structure, tmp_path: Path) -> None:
    """A torn file costs a compilation and is replaced."""
    compiled(structure)
    path = next((tmp_path / "cache").iterdir())
    path.write_bytes(path.read_bytes()[:100])
    assert _same(compiled(structure), compile_block(structure))
    assert path.stat().st_size > 100


def test_empty_name_keeps_nothing(structure: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants no cache has none."""
    monkeypatch.setenv(FOLDER, "")
    compiled(structure)
    assert not (tmp_path / "cache").exists()
