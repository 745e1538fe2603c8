"""A program as a free-format MPS file, for other solvers and for reports to solver authors. Written by us: HiGHS truncates silently on a full disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from allocator.network.network import Network
from allocator.program.stack import Program
from allocator.program.stamp import LAW_NAMES, VARIABLE_NAMES

QUOTED_MARKER, INTORG, INTEND = "'MARKER'", "'INTORG'", "'INTEND'"


def write_mps(network: Network, program: Program, path: Path) -> None:
    """Write the program.

    Column names are ``variable_item_place_class_bucket`` with ranks as numbers (codes may hold blanks); shared ones ``variable_i_j_k``. With
    several outlooks ``_wN`` follows in the names of outlook N's own columns and rows; what is decided for all has none.

    Raises
    ------
    OSError
        When the disk refuses; the file is then not complete and is removed.
    """
    try:
        with path.open("w", encoding="utf-8") as handle:
            handle.writelines(_lines(network, program))
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _lines(network: Network, program: Program) -> Iterator[str]:
    rows, columns = _row_names(program), _column_names(program)
    yield f"* {len(network.items)} items, {len(network.sites.codes)} sites, {network.calendar.buckets} buckets; minimise\n"
    yield "NAME allocator\nROWS\n N cost\n"
    equal = program.row_lower == program.row_upper
    least = ~equal & np.isinf(program.row_upper)
    for name, is_equal, is_least in zip(rows, equal, least, strict=True):
        yield f" {'E' if is_equal else 'G' if is_least else 'L'} {name}\n"
    yield "COLUMNS\n"
    matrix = sp.csr_matrix((program.values, program.indices, program.indptr), shape=(len(rows), len(columns))).tocsc()
    whole = False
    for j, name in enumerate(columns):
        if bool(program.integer[j]) != whole:
            whole = not whole
            yield f" MARKER {QUOTED_MARKER} {INTORG if whole else INTEND}\n"
        yield f" {name} cost {float(program.cost[j])!r}\n"
        for k in range(matrix.indptr[j], matrix.indptr[j + 1]):
            yield f" {name} {rows[matrix.indices[k]]} {float(matrix.data[k])!r}\n"
    if whole:
        yield f" MARKER {QUOTED_MARKER} {INTEND}\n"
    yield "RHS\n"
    right = np.where(least, program.row_lower, program.row_upper)
    for name, value in zip(rows, right, strict=True):
        if value:
            yield f" RHS {name} {float(value)!r}\n"
    yield "BOUNDS\n"
    for name, low, high in zip(columns, program.lower, program.upper, strict=True):
        if low == high:
            yield f" FX BND {name} {float(low)!r}\n"
            continue
        if low:
            yield f" LO BND {name} {float(low)!r}\n"
        yield f" PL BND {name}\n" if np.isinf(high) else f" UP BND {name} {float(high)!r}\n"
    yield "ENDATA\n"


def _row_names(program: Program) -> list[str]:
    own = [
        f"{LAW_NAMES[law]}_{item}_{place}"
        for law, item, place in zip(program.row_law, program.row_item, program.row_place, strict=True)
    ]
    if (program.columns.outlook > 0).any():
        own = _numbered(own)
    uses = [f"use_{k}" for k in range(program.first_shared_row - program.first_use_row)]
    keys = program.shared.row_key
    return [*own, *uses, *(f"{law}_{i}_{j}_{k}" for law, (i, j, k) in zip(program.shared.law, keys, strict=True))]


def _column_names(program: Program) -> list[str]:
    c = program.columns
    own = [
        f"{VARIABLE_NAMES[v]}_{i}_{f}_{e}_{t}"
        for v, i, f, e, t in zip(c.variable, c.item, c.first, c.cls, c.bucket, strict=True)
    ]
    if (c.outlook > 0).any():
        own = [name if w < 0 else f"{name}_w{w}" for name, w in zip(own, c.outlook, strict=True)]
    shared = program.shared
    return [*own, *(f"{name}_{i}_{j}_{k}" for name, (i, j, k) in zip(shared.variable, shared.key, strict=True))]


def _numbered(names: list[str]) -> list[str]:
    """Names that stand several times, numbered in their order, which is that of the outlooks (a row that can't bind in one is not there)."""
    many = {name for name, count in Counter(names).items() if count > 1}
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        out.append(f"{name}_w{seen[name]}" if name in many else name)
        seen[name] += 1
    return out
