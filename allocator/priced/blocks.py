"""Items' blocks as stamped, one by one: plain arrays that HiGHS takes as they are, kept compressed between rounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from allocator.priced.limits import SharedLimits
from allocator.program.stamp import LAW_NAMES, VARIABLE_NAMES, Piece

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

CODEC = "lz4"
"""Opened four times faster than by zstd, for 1.8 times the bytes."""
SHIP, SERVE = VARIABLE_NAMES.index("ship"), VARIABLE_NAMES.index("serve")


@dataclass(frozen=True)
class Block:
    """The program of one item, n columns, m rows.

    Attributes
    ----------
    item : int
    quantum : float
        Smallest quantity that moves; 0: continuous. [units]
    span : int
        Places of one site's balance rows: ``row_place // span`` is the site.
    cost, lower, upper : (n,) float
        Costs include the base price of what the columns use.
    integer : (k,) int
        Columns that are whole: packs and yes/no.
    indptr, indices, values : CSR of the rows
    row_lower, row_upper : (m,) float
    use, use_column, use_value : (u,)
        Uses of shared resources: which, by which column, how much per unit of it.
    variable, first, cls, bucket, outlook : (n,) int
        What each column is, as in :class:`allocator.program.stamp.Columns`.
    row_law, row_place : (m,) int
    """

    item: int
    quantum: float
    span: int
    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: IntArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    use: IntArray
    use_column: IntArray
    use_value: FloatArray
    variable: NDArray[np.int16]
    first: NDArray[np.int16]
    cls: NDArray[np.int16]
    bucket: NDArray[np.int16]
    outlook: NDArray[np.int16]
    row_law: NDArray[np.int16]
    row_place: IntArray

    @property
    def columns(self) -> int:
        """Number of columns n."""
        return len(self.cost)

    @cached_property
    def whole(self) -> tuple[IntArray, FloatArray]:
        """Columns that are decided in whole steps, and the steps: packs and yes/no, shipments and service of an item with a quantum."""
        moves = np.empty(0, dtype=np.int64)
        if self.quantum > 0:
            moves = np.flatnonzero((self.variable == SHIP) | (self.variable == SERVE))
        steps = np.concatenate([np.ones(len(self.integer)), np.full(len(moves), self.quantum)])
        return np.concatenate([self.integer, moves]).astype(np.int32), steps

    @property
    def rows(self) -> int:
        """Number of rows m."""
        return len(self.row_lower)

    def charged(self, price: FloatArray) -> FloatArray:
        """(n,) cost with the shared resources at ``price`` (R,). [currency per unit of the column]"""
        charge = np.bincount(self.use_column, self.use_value * price[self.use], minlength=self.columns)
        return np.asarray(self.cost + charge)

    def used(self, x: FloatArray, count: int) -> FloatArray:
        """(R,) use of the shared resources by a point."""
        # of no uses at all numpy counts whole numbers
        return np.bincount(self.use, self.use_value * x[self.use_column], minlength=count).astype(
            np.float64, copy=False
        )


_ARRAYS = tuple(f.name for f in fields(Block) if f.name not in ("item", "quantum", "span"))
_TYPES = {
    "cost": "f8", "lower": "f8", "upper": "f8", "integer": "i4", "indptr": "i4", "indices": "i4", "values": "f8",
    "row_lower": "f8", "row_upper": "f8", "use": "i4", "use_column": "i4", "use_value": "f8", "variable": "i2",
    "first": "i2", "cls": "i2", "bucket": "i2", "outlook": "i2", "row_law": "i2", "row_place": "i4",
}  # fmt: skip


@dataclass(frozen=True)
class Packed:
    """A block in a few kilobytes: the lengths of its arrays, their bytes compressed, and the bytes' number."""

    item: int
    quantum: float
    span: int
    lengths: tuple[int, ...]
    body: bytes
    size: int

    @classmethod
    def of(cls, block: Block) -> Packed:
        """Compress a block."""
        arrays = [np.ascontiguousarray(getattr(block, name), dtype=_TYPES[name]) for name in _ARRAYS]
        raw = b"".join(array.tobytes() for array in arrays)
        return cls(
            block.item,
            block.quantum,
            block.span,
            tuple(len(a) for a in arrays),
            pa.compress(raw, codec=CODEC, asbytes=True),
            len(raw),
        )

    def open(self) -> Block:
        """The block again; its arrays are read-only views of one buffer."""
        raw = pa.decompress(self.body, decompressed_size=self.size, codec=CODEC, asbytes=True)
        arrays, at = {}, 0
        for name, length in zip(_ARRAYS, self.lengths, strict=True):
            arrays[name] = np.frombuffer(raw, dtype=_TYPES[name], count=length, offset=at)
            at += arrays[name].nbytes
        return Block(item=self.item, quantum=self.quantum, span=self.span, **arrays)


def split(
    piece: Piece, items: NDArray[np.int64], quantum: FloatArray, span: int, limits: SharedLimits
) -> Iterator[Block]:
    """Cut a stamped piece into its items' blocks, in the order in which they were stamped.

    Parameters
    ----------
    piece : Piece
    items : (G,) int
        The items that were stamped, in order; one without columns gives an empty block.
    quantum : (G,) float
        Of the items. [units]
    span : int
        Places of one site's balance rows: classes times buckets.
    limits : SharedLimits
        Numbers the uses; their base prices go into the costs.
    """
    place = np.full(int(items.max(initial=0)) + 1, -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    edges = np.arange(len(items) + 1)
    column = np.searchsorted(place[piece.columns.item], edges)
    row = np.searchsorted(place[piece.row_item], edges)
    entry = np.searchsorted(piece.row, row)
    used = np.searchsorted(piece.use_column, column)
    start = np.zeros(len(LAW_NAMES), dtype=np.int64)
    for law, first in limits.start.items():
        start[law] = first
    use = start[piece.use_law] + piece.use_place
    base = np.bincount(piece.use_column, piece.use_value * limits.base[use], minlength=len(piece.cost))
    cost = piece.cost + base
    for g, item in enumerate(items.tolist()):
        c, r, z, u = (slice(int(edge[g]), int(edge[g + 1])) for edge in (column, row, entry, used))
        counts = np.bincount(piece.row[z] - r.start, minlength=r.stop - r.start)
        indptr = np.zeros(r.stop - r.start + 1, dtype=np.int32)
        np.cumsum(counts, out=indptr[1:])
        yield Block(
            item=item,
            quantum=float(quantum[g]),
            span=span,
            cost=cost[c],
            lower=piece.lower[c],
            upper=piece.upper[c],
            integer=np.flatnonzero(piece.integer[c]).astype(np.int32),
            indptr=indptr,
            indices=(piece.column[z] - c.start).astype(np.int32),
            values=piece.value[z],
            row_lower=piece.row_lower[r],
            row_upper=piece.row_upper[r],
            use=use[u].astype(np.int32),
            use_column=(piece.use_column[u] - c.start).astype(np.int32),
            use_value=piece.use_value[u],
            variable=piece.columns.variable[c].astype(np.int16),
            first=piece.columns.first[c].astype(np.int16),
            cls=piece.columns.cls[c].astype(np.int16),
            bucket=piece.columns.bucket[c].astype(np.int16),
            outlook=piece.columns.outlook[c].astype(np.int16),
            row_law=piece.row_law[r].astype(np.int16),
            row_place=piece.row_place[r].astype(np.int32),
        )
