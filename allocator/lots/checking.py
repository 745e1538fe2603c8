"""What the assigner asks of its input."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.lots.records import Bytes, Columns, Flags, Floats, Ints, LotStock, Moves, Rule


def check(stock: LotStock, moves: Moves, rotation: Bytes, quantum: Floats, bucket_last_day: Ints) -> None:
    """Refuse input that has no meaning.

    Raises
    ------
    ValueError
        With the first row that breaks a rule.
    """
    n_items, n_buckets = len(rotation), len(bucket_last_day)
    if len(quantum) != n_items:
        raise ValueError(f"expected one quantum per item ({n_items}), found {len(quantum)}; give both per item")
    if n_buckets == 0 or (np.diff(bucket_last_day) <= 0).any():
        raise ValueError(f"expected bucket_last_day to rise, found {bucket_last_day[:9]}; give each bucket's last day")
    _refuse((rotation < Rule.FEFO) | (rotation > Rule.LIFO), rotation, "0 (FEFO), 1 (FIFO) or 2 (LIFO)", "rotation")
    _refuse(~(quantum >= 0) | ~np.isfinite(quantum), quantum, "0 or more", "quantum")
    for table, columns in (("stock", stock), ("moves", moves)):
        _check_lengths(columns, table)
        _check_span(columns.item, 0, n_items, f"{table}.item")
        quantity = columns.quantity
        _refuse(~(quantity >= 0) | ~np.isfinite(quantity), quantity, "0 or more", f"{table}.quantity")
    _check_span(stock.site, 0, 2**31, "stock.site")
    _check_span(stock.available_bucket, 0, n_buckets, "stock.available_bucket")
    _check_span(moves.origin, 0, 2**31, "moves.origin")
    _check_span(moves.destination, -1, 2**31, "moves.destination")
    _check_span(moves.bucket, 0, n_buckets, "moves.bucket")
    arrive = moves.arrive_bucket
    _check_span(arrive, -1, n_buckets, "moves.arrive_bucket")
    _refuse((arrive >= 0) & (arrive < moves.bucket), arrive, "the bucket it leaves or later", "moves.arrive_bucket")
    _refuse((arrive >= 0) & (moves.destination < 0), arrive, "-1 for an admission", "moves.arrive_bucket")
    _refuse(moves.destination == moves.origin, moves.origin, "two different sites", "moves.origin")


def _check_lengths(columns: Columns, table: str) -> None:
    for field in fields(columns):
        column = getattr(columns, field.name)
        if column.shape != (len(columns),):
            raise ValueError(
                f"expected {len(columns)} rows, found shape {column.shape} in {table}.{field.name}; give equal lengths"
            )


def _check_span(column: Ints, low: int, stop: int, where: str) -> None:
    if len(column) and (int(column.min()) < low or int(column.max()) >= stop):
        _refuse((column < low) | (column >= stop), column, f"{low} to {stop - 1}", where)


def _refuse(wrong: Flags, column: NDArray[Any], expected: str, where: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"expected {expected}, found {column[row]} in {where}, row {row}; correct that row")
