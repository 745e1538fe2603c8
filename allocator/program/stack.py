"""Stack the items' pieces and the shared resources into one program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.network.prices import Prices, build_prices
from allocator.program.classes import Classes, build_classes
from allocator.program.data import build_items
from allocator.program.lift import compile_blocks
from allocator.program.resources import SharedPiece, compile_resources, resource_data
from allocator.program.stamp import LAW_NAMES, Columns, Piece, stamp
from allocator.program.structure import build_structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Program:
    """A mixed-integer program in row form, and what its columns and rows are.

    ``min cost @ x`` subject to ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``, some x whole.

    Attributes
    ----------
    indptr, indices, values : CSR of A
    columns : Columns
        Of the items' columns, which come first; shared columns follow.
    row_item, row_law, row_place : (m,) int
        Of the items' own rows (item -1, law -1 for use rows and shared rows).
    shared : SharedPiece
    first_use_row, first_shared_row, first_shared_column : int
    use_keys : list of (law, place)
        Of the use rows.
    classes : Classes
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    columns: Columns
    row_item: IntArray
    row_law: IntArray
    row_place: IntArray
    shared: SharedPiece
    first_use_row: int
    first_shared_row: int
    first_shared_column: int
    classes: Classes
    prices: Prices

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of rows, columns, non-zeros."""
        return len(self.row_lower), len(self.cost), len(self.values)


def build_program(network: Network, prices: Prices | None = None, shared: SharedPiece | None = None) -> Program:
    """Compile, stamp and stack a whole network.

    Parameters
    ----------
    network : Network
    prices : Prices, optional
        Elastic prices to use in place of the network's own: those of a larger network that this one was cut from.
    shared : SharedPiece, optional
        Rows and columns of the shared resources to use in place of the network's own.

    Returns
    -------
    Program
    """
    prices = prices or build_prices(network)
    classes = build_classes(network)
    pieces: list[Piece] = []
    for size, template in compile_blocks(partial(build_structure, network), classes.groups):
        block = build_items(network, template.structure, classes, prices, classes.groups[size])
        pieces.append(stamp(template, block))
    shared = shared or compile_resources(build_structure(network, 1), resource_data(network, prices))
    return _stack(pieces, shared, classes, prices)


def _stack(pieces: list[Piece], shared: SharedPiece, classes: Classes, prices: Prices) -> Program:
    column_start = np.cumsum([0] + [len(p.cost) for p in pieces])
    row_start = np.cumsum([0] + [len(p.row_lower) for p in pieces])
    columns, rows = int(column_start[-1]), int(row_start[-1])
    start_of = np.zeros(len(LAW_NAMES), dtype=np.int64)
    count = 0
    for number, name in enumerate(LAW_NAMES):
        start_of[number] = count
        count += len(shared.uses.get(name, ()))
    row = [p.row + s for p, s in zip(pieces, row_start, strict=False)]
    column = [p.column + s for p, s in zip(pieces, column_start, strict=False)]
    value = [p.value for p in pieces]
    row += [rows + start_of[p.use_law] + p.use_place for p in pieces]
    column += [p.use_column + s for p, s in zip(pieces, column_start, strict=False)]
    value += [p.use_value for p in pieces]
    row += [rows + np.arange(count), rows + count + shared.row]
    column += [columns + shared.linked, columns + shared.column]
    value += [np.full(count, -1.0), shared.value]
    indptr, indices, values = _csr(
        np.concatenate(row), np.concatenate(column), np.concatenate(value), rows + count + len(shared.row_lower)
    )
    every = [p.columns for p in pieces]
    return Program(
        cost=np.concatenate([*(p.cost for p in pieces), shared.cost]),
        lower=np.concatenate([*(p.lower for p in pieces), shared.lower]),
        upper=np.concatenate([*(p.upper for p in pieces), shared.upper]),
        integer=np.concatenate([*(p.integer for p in pieces), shared.integer]),
        indptr=indptr,
        indices=indices,
        values=values,
        row_lower=np.concatenate([*(p.row_lower for p in pieces), np.zeros(count), shared.row_lower]),
        row_upper=np.concatenate([*(p.row_upper for p in pieces), np.zeros(count), shared.row_upper]),
        columns=Columns(*(np.concatenate([getattr(c, name) for c in every]) for name in Columns.__dataclass_fields__)),
        row_item=np.concatenate([p.row_item for p in pieces]),
        row_law=np.concatenate([p.row_law for p in pieces]),
        row_place=np.concatenate([p.row_place for p in pieces]),
        shared=shared,
        first_use_row=rows,
        first_shared_row=rows + count,
        first_shared_column=columns,
        classes=classes,
        prices=prices,
    )


def _csr(row: IntArray, column: IntArray, value: FloatArray, rows: int) -> tuple[IntArray, IntArray, FloatArray]:
    order = np.argsort(row, kind="stable")
    indptr = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=indptr[1:])
    return indptr, column[order], value[order]
