"""The part of an item's program around some of its columns: their sites and all that happens there; everything else stays where it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.cut import cut_rows
from allocator.priced.blocks import Block
from allocator.program.stamp import LAW_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

BALANCE = LAW_NAMES.index("balance")


@dataclass(frozen=True)
class Rows:
    """k rows over an item's columns, in CSR form, each with a column ``over >= 0`` of its own at a price: ``values @ x - over <= limit``."""

    limit: FloatArray
    price: FloatArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray

    @classmethod
    def none(cls) -> Rows:
        """No rows."""
        whole, real = np.empty(0, dtype=np.int32), np.empty(0)
        return cls(real, real, np.zeros(1, dtype=np.int32), whole, real)

    def with_more(self, more: Rows) -> Rows:
        """These, then more."""
        return Rows(
            np.concatenate([self.limit, more.limit]),
            np.concatenate([self.price, more.price]),
            np.concatenate([self.indptr, self.indptr[-1] + more.indptr[1:]]),
            np.concatenate([self.indices, more.indices]),
            np.concatenate([self.values, more.values]),
        )

    def within(self, columns: IntArray, x: FloatArray) -> Rows:
        """The rows that some columns (ascending) are in, over those columns, all others staying at ``x``."""
        cut = cut_rows(self.indptr, self.indices, self.values, _marked(len(x), columns), x)
        return Rows(self.limit[cut.rows] - cut.fixed, self.price[cut.rows], cut.indptr, cut.indices, cut.values)


@dataclass(frozen=True)
class Part:
    """A part of a block.

    Attributes
    ----------
    columns : (k,) int
        Which of the block's.
    lower, upper : (k,) float
    indptr, indices, values : CSR of the rows, over the part's columns
    row_lower, row_upper : (j,) float
        Less what the block's other columns have in them.
    """

    columns: IntArray
    lower: FloatArray
    upper: FloatArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray


def around(block: Block, columns: IntArray, x: FloatArray) -> Part:
    """The part around some columns.

    Parameters
    ----------
    block : Block
    columns : (c,) int
    x : (n,) float
        Where all other columns stay.

    Notes
    -----
    Its sites are those whose stock the columns, and those that share a row with them, change. It holds every column that changes no other
    site's stock: what flows between its sites, what is sold, kept and missing there. Flows to and from other sites stay.
    """
    row = np.repeat(np.arange(block.rows, dtype=np.int32), np.diff(block.indptr))
    balance = block.row_law == BALANCE
    site = block.row_place // block.span
    sharing = _columns(block, row, _rows(block, row, _marked(block.columns, columns)))
    mine = balance & _rows(block, row, sharing)
    ours = np.zeros(int(site[balance].max(initial=-1)) + 1, dtype=bool)
    ours[site[mine]] = True
    outside = balance.copy()
    outside[balance] = ~ours[site[balance]]
    moving = _columns(block, row, balance)
    free = moving & ~_columns(block, row, outside)
    for _ in range(2):  # packs, then what packs start
        free |= _columns(block, row, _rows(block, row, free)) & ~moving
    cut = cut_rows(block.indptr, block.indices, block.values, free, x)
    return Part(
        np.flatnonzero(free).astype(np.int32),
        block.lower[free],
        block.upper[free],
        cut.indptr,
        cut.indices,
        cut.values,
        block.row_lower[cut.rows] - cut.fixed,
        block.row_upper[cut.rows] - cut.fixed,
    )


def _marked(count: int, columns: IntArray) -> BoolArray:
    marked = np.zeros(count, dtype=bool)
    marked[columns] = True
    return marked


def _rows(block: Block, row: IntArray, columns: BoolArray) -> BoolArray:
    """(m,) rows that one of some columns (n,) is in; ``row`` is each coefficient's."""
    return _marked(block.rows, row[columns[block.indices]])


def _columns(block: Block, row: IntArray, rows: BoolArray) -> BoolArray:
    """(n,) columns in one of some rows (m,)."""
    return _marked(block.columns, block.indices[rows[row]])
