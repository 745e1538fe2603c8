"""The ledger: the lot moves once more, each under an id of its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.audit.keys import Flags, Names, Whole, label, pack, whole
from allocator.audit.registry import Notebook

WORDS = {"item": "item", "lot": "lot", "from": "from", "to": "to", "kind": "for"}
"""Columns of the ledger, and of the lot moves, that hold the same words."""


def check_ledger(ledger: pd.DataFrame, moves: pd.DataFrame, book: Notebook) -> None:
    """Check that the ledger holds the lot moves one to one."""
    if distinct := _same(ledger, moves):
        book.count("ledger", distinct)
        return
    codes: list[tuple[Whole, Whole]] = []
    for mine, theirs in WORDS.items():
        names = Names.of(ledger[mine], moves[theirs])
        codes.append((names.find(ledger[mine]) + 1, names.find(moves[theirs]) + 1))
    figures = zip(*(_figures(table) for table in (ledger, moves)), strict=True)
    both_sides = [np.concatenate(pair) for pair in (*codes, *figures)]
    group, first = label(*both_sides)
    size = len(ledger)
    written = np.bincount(group[:size], minlength=len(first))
    moved = np.bincount(group[size:], minlength=len(first))

    def where(k: int) -> str:
        row = int(first[k])
        line = ledger.iloc[row] if row < size else moves.iloc[row - size]
        route = f"{line['from']} > {line['to']}"
        return f"lot {line['lot']}, item {line['item']}, {route}, {line['date']}, {line['quantity']:g}"

    book.equal("ledger", moved, written, where)


def _figures(table: pd.DataFrame) -> tuple[Whole, Whole]:
    """Give days and quantities as whole numbers."""
    days = np.asarray(pd.to_datetime(table["date"]), dtype="datetime64[D]").astype(np.int64)
    return whole(days), whole(np.round(np.asarray(table["quantity"], dtype=np.float64) * 1e6))


def _same(ledger: pd.DataFrame, moves: pd.DataFrame) -> int:
    """Count the distinct rows of two tables that hold the same rows; 0 where a quick look can't tell that they do."""
    if len(ledger) != len(moves) or not len(ledger):
        return 0
    sides: tuple[list[Whole], list[Whole]] = ([], [])
    for mine, theirs in WORDS.items():
        if not all(isinstance(part.dtype, pd.CategoricalDtype) for part in (ledger[mine], moves[theirs])):
            return 0
        names = Names(pd.Index(ledger[mine].cat.categories, dtype=object))
        sides[0].append(names.find(ledger[mine]))
        sides[1].append(names.find(moves[theirs]))
    days, cents = zip(*(_figures(table) for table in (ledger, moves)), strict=True)
    first, last = min(int(column.min()) for column in days), max(int(column.max()) for column in days)
    sizes = [int(column.max()) + 1 for column in sides[0]]
    inside = all(int(column.min()) >= 0 for side in sides for column in side)
    inside &= all(int(column.max()) < size for column, size in zip(sides[1], sizes, strict=True))
    if not inside or math.prod([*sizes, last - first + 1]) >= 1 << 62:
        return 0
    rows = []
    for side, day, cent in zip(sides, days, cents, strict=True):
        key = pack((*sizes, last - first + 1), *side, day - first)
        order = np.lexsort((cent, key))
        rows.append((key[order], cent[order]))
    (key, cent), other = rows
    if not (np.array_equal(key, other[0]) and np.array_equal(cent, other[1])):
        return 0
    return 1 + int(np.count_nonzero((key[1:] != key[:-1]) | (cent[1:] != cent[:-1])))


def check_ids(column: pd.Series[Any] | pa.ChunkedArray, book: Notebook) -> None:
    """Check that every row of the ledger has an id, and no two rows the same."""
    ids = pa.array(column, from_pandas=True) if isinstance(column, pd.Series) else column
    ids = ids.cast(pa.string()) if not pa.types.is_large_string(ids.type) else ids
    filled = _flags(pc.fill_null(pc.not_equal(ids, ""), False))
    book.true("keys", ~_repeated(ids), lambda k: f"ledger row {k}: id {ids[k]}", "one row", "a second row")
    book.true("ledger", filled, lambda k: f"ledger row {k}", "an id", "none")


def _repeated(ids: pa.Array | pa.ChunkedArray) -> Flags:
    """Tell which ids stand in an earlier row too; ids in rising order are compared with their neighbours alone."""
    rising = pc.greater(ids.slice(1), ids.slice(0, max(len(ids) - 1, 0)))
    if rising.null_count == 0 and pc.all(rising, min_count=0).as_py():
        return np.zeros(len(ids), dtype=bool)
    return np.asarray(ids.to_pandas().duplicated(), dtype=bool)


def _flags(cells: pa.Array | pa.ChunkedArray) -> Flags:
    plain = cells.to_numpy() if isinstance(cells, pa.ChunkedArray) else cells.to_numpy(zero_copy_only=False)
    return np.asarray(plain, dtype=bool)
