"""The ledger: the lot moves once more, each under an id of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.audit.keys import Flags, Names, Whole, label, whole
from allocator.audit.registry import Notebook


def check_ledger(ledger: pd.DataFrame, moves: pd.DataFrame, book: Notebook) -> None:
    """Check that the ledger holds the lot moves one to one."""
    columns = {"item": "item", "lot": "lot", "from": "from", "to": "to", "kind": "for"}
    codes: list[tuple[Whole, Whole]] = []
    for mine, theirs in columns.items():
        names = Names.of(ledger[mine], moves[theirs])
        codes.append((names.find(ledger[mine]) + 1, names.find(moves[theirs]) + 1))
    days = tuple(
        whole(np.asarray(pd.to_datetime(t["date"]), dtype="datetime64[D]").astype(np.int64)) for t in (ledger, moves)
    )
    cents = tuple(whole(np.round(np.asarray(t["quantity"], dtype=np.float64) * 1e6)) for t in (ledger, moves))
    both_sides = [np.concatenate(pair) for pair in (*codes, days, cents)]
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
