"""Templates for several outlooks: one copy of what is decided now, a copy for each outlook of what follows.

The block is compiled for one outlook. A column that :data:`allocator_models.outlooks.DECIDED` names stands once, any other once for each outlook,
with its cost over their number; a law that speaks of decided columns and data alone stands once, any other once for each outlook; a use
of a shared resource stays one row, the mean over the outlooks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from allocator.program.template import Linear, Template
from allocator_models.block import LAWS, VARIABLES, data_shapes
from allocator_models.outlooks import BY_OUTLOOK, DECIDED
from allocator_models.structure import Structure

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SHARED = -1
"""Outlook of a column that stands for all of them."""


def spread(template: Template) -> Template:
    """The template for the outlooks of its structure; itself for one outlook."""
    count = template.structure.outlooks
    if count == 1:
        return template
    use = np.array([law.use for law in LAWS.values()])[template.law]
    row_of = np.repeat(np.arange(len(template.law)), np.diff(template.indptr))
    once = decided_columns(template)
    symbols = _Symbols.of(template, count)
    own_row = symbols.differs(template.rhs)
    own_row[row_of[~once[template.indices]]] = True
    own_row &= ~use
    column = _Copies.of(~once, count)
    row = _Copies.of(own_row, count)
    entries = np.flatnonzero(own_row[row_of] | ~once[template.indices])
    single = np.flatnonzero(~own_row[row_of] & once[template.indices])
    old = np.concatenate([single, np.repeat(entries, count)])
    outlook = np.concatenate([np.zeros(len(single), dtype=np.int64), np.tile(np.arange(count), len(entries))])
    at, to = row.new[row_of[old], outlook], column.new[template.indices[old], outlook]
    order = np.lexsort((to, at))
    old, outlook, at, to = old[order], outlook[order], at[order], to[order]
    indptr = np.zeros(len(row.old) + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=len(row.old)), out=indptr[1:])
    mean = np.where(use[row_of[old]] & ~once[template.indices[old]], 1.0 / count, 1.0)
    return Template(
        structure=template.structure,
        variable=template.variable[column.old],
        position=template.position[column.old],
        law=template.law[row.old],
        place=template.place[row.old],
        sense=template.sense[row.old],
        indptr=indptr,
        indices=to,
        coefficients=symbols.linear(template.coefficients, old, outlook, mean),
        rhs=symbols.linear(template.rhs, row.old, np.maximum(row.outlook, 0), np.ones(len(row.old))),
        cost=symbols.linear(
            template.cost, column.old, np.maximum(column.outlook, 0), np.where(once[column.old], 1.0, 1.0 / count)
        ),
        symbol_offsets=template.symbol_offsets,
        symbols=symbols.total,
        outlook=column.outlook,
    )


def decided_columns(template: Template) -> BoolArray:
    """(n,) bool, columns of what is decided before demand shows."""
    members = [
        np.array([DECIDED[name](template.structure, key) for key in indices(template.structure)], dtype=bool)
        for name, indices in VARIABLES.items()
    ]
    starts = np.cumsum([0] + [len(m) for m in members])
    return np.asarray(np.concatenate(members)[starts[template.variable] + template.position])


@dataclass(frozen=True)
class _Copies:
    """Columns or rows of the new template: the old one each copies, its outlook (:data:`SHARED` where it stands once), and (old, K) the new place."""

    old: IntArray
    outlook: IntArray
    new: IntArray

    @classmethod
    def of(cls, own: BoolArray, count: int) -> _Copies:
        """Those that stand once first, then outlook by outlook, each in the old order."""
        once, each = np.flatnonzero(~own), np.flatnonzero(own)
        new = np.empty((len(own), count), dtype=np.int64)
        new[once] = np.arange(len(once))[:, None]
        new[each] = len(once) + np.arange(len(each))[:, None] + len(each) * np.arange(count)[None, :]
        return cls(
            np.concatenate([once, np.tile(each, count)]),
            np.concatenate([np.full(len(once), SHARED), np.repeat(np.arange(count), len(each))]),
            new,
        )


@dataclass(frozen=True)
class _Symbols:
    """Symbols of several outlooks: those of the first as they were, then what differs, outlook by outlook."""

    rank: IntArray
    base: int
    varying: int
    total: int

    @classmethod
    def of(cls, template: Template, count: int) -> _Symbols:
        """``rank`` (P,): place among the symbols that differ, -1 for those that don't."""
        rank = np.full(template.symbols, -1, dtype=np.int64)
        at = varying_symbols(template.structure, template.symbol_offsets)
        rank[at] = np.arange(len(at))
        return cls(rank, template.symbols, len(at), template.symbols + (count - 1) * len(at))

    def differs(self, linear: Linear) -> BoolArray:
        """(n,) bool, entries that hold a symbol of their outlook's own."""
        entry, symbol = linear.symbolic.nonzero()
        out = np.zeros(len(linear.constant), dtype=bool)
        out[entry[self.rank[symbol] >= 0]] = True
        return out

    def linear(self, old: Linear, of: IntArray, outlook: IntArray, factor: NDArray[np.float64]) -> Linear:
        """The entries ``of`` of a vector, each for its outlook and times its factor."""
        picked = old.symbolic[of].tocoo()
        symbol = picked.col.astype(np.int64)
        w, rank = outlook[picked.row], self.rank[symbol]
        new = np.where((w > 0) & (rank >= 0), self.base + (w - 1) * self.varying + rank, symbol)
        shape = (len(of), max(self.total, 1))
        return Linear(
            old.constant[of] * factor, sp.csr_matrix((picked.data * factor[picked.row], (picked.row, new)), shape=shape)
        )


def varying_symbols(structure: Structure, offsets: dict[str, int]) -> IntArray:
    """Symbols that differ between outlooks, in the order in which further outlooks repeat them."""
    shapes = data_shapes(structure)
    return np.concatenate([offsets[name] + np.arange(int(np.prod(shapes[name], dtype=int))) for name in BY_OUTLOOK])
