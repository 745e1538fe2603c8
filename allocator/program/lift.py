"""Templates for every number of expiry classes out of one compilation.

The laws treat expiry classes alike: a law of one class speaks of that class only, any other law speaks of all of them in the same way.
So a block compiled for two classes shows what a block of any number looks like. It is taken apart, put together again for two classes and compared
with what the compiler gave; only then is it repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from allocator.program.cache import compiled
from allocator.program.outlooks import spread
from allocator.program.template import Linear, Template
from allocator_models.block import LAWS, VARIABLES, data_shapes
from allocator_models.structure import Structure

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def compile_blocks(structure_of: Callable[[int], Structure], counts: Collection[int]) -> Iterator[tuple[int, Template]]:
    """Templates of one network for several numbers of expiry classes, compiled once.

    Parameters
    ----------
    structure_of : callable
        The network's index sets for a number of classes.
    counts : collection of int
        Numbers of classes asked for.

    Yields
    ------
    int, Template
        Each count and its template, equal to what :func:`compile_block` gives, spread over the outlooks of the structure.

    Raises
    ------
    ArithmeticError
        When a law treats expiry classes unalike (a fault of the model, never of the data).
    """
    if max(counts, default=1) == 1:
        yield from ((count, spread(compiled(structure_of(count)))) for count in counts)
        return
    one, two = structure_of(1), structure_of(2)
    seed = _Seed.of(compiled(two), _Axes.of(one, two))
    if not _same(seed.repeated(two), seed.template):
        raise ArithmeticError(
            "a law treats expiry classes unalike, so a block of two of them does not show what a block of more looks like; "
            "compile each class count by itself (allocator.program.template.compile_block)"
        )
    for count in counts:
        yield count, spread(seed.repeated(structure_of(count)))


@dataclass(frozen=True)
class _Axes:
    """Where the expiry class stands in the index sets of variables, laws and data.

    For each member family ``run``: members that follow each other within one class (0: the family has no class).
    """

    variables: IntArray
    laws: IntArray
    data: IntArray

    @classmethod
    def of(cls, one: Structure, two: Structure) -> _Axes:
        """Read them off the index sets for one and for two classes."""
        laws = {name: law.indices for name, law in LAWS.items()}
        return cls(
            np.array([_run(list(f(one)), list(f(two))) for f in VARIABLES.values()], dtype=np.int64),
            np.array([_run(list(f(one)), list(f(two))) for f in laws.values()], dtype=np.int64),
            np.array(
                [_inner(a, b) for a, b in zip(data_shapes(one).values(), data_shapes(two).values(), strict=True)],
                dtype=np.int64,
            ),
        )


def _run(one: list[tuple[int, ...]], two: list[tuple[int, ...]]) -> int:
    """Members (s, 0, t) that follow each other before (s, 1, t) begins; 0 where the class is not in the index."""
    if len(one) == len(two):
        return 0
    first = two[0]
    return two.index((first[0], first[1] + 1, *first[2:]))


def _inner(one: tuple[int, ...], two: tuple[int, ...]) -> int:
    """The same for an array of data: the product of the axes behind the class axis."""
    grown = [axis for axis, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
    return int(np.prod(one[grown[0] + 1 :], dtype=int)) if grown else 0


@dataclass(frozen=True)
class _Members:
    """Columns, rows or symbols of a two-class template: family, place with the class taken out, class (0 where there is none), and the family's run."""

    family: IntArray
    place: IntArray
    cls: IntArray
    run: IntArray

    @classmethod
    def of(cls, family: IntArray, position: IntArray, runs: IntArray) -> _Members:
        """Take the class out of positions."""
        run = runs[family]
        n = np.maximum(run, 1)
        outer, inner = position // (2 * n), position % n
        has = run > 0
        return cls(family, np.where(has, outer * n + inner, position), np.where(has, position // n % 2, 0), run)

    def position(self, of: IntArray, cls: IntArray, classes: int) -> IntArray:
        """Position of members ``of`` in a block of ``classes`` classes."""
        n = np.maximum(self.run[of], 1)
        place = self.place[of]
        return np.where(self.run[of] > 0, (place // n * classes + cls) * n + place % n, place)


@dataclass(frozen=True)
class _Seed:
    """A two-class template, taken apart."""

    template: Template
    columns: _Members
    rows: _Members
    symbols: _Members
    symbol_family: tuple[str, ...]

    @classmethod
    def of(cls, template: Template, axes: _Axes) -> _Seed:
        """Take a two-class template apart."""
        names = tuple(data_shapes(template.structure))
        starts = np.array([template.symbol_offsets[name] for name in names], dtype=np.int64)
        every = np.arange(template.symbols)
        family = np.searchsorted(starts, every, side="right") - 1
        return cls(
            template,
            _Members.of(template.variable, template.position, axes.variables),
            _Members.of(template.law, template.place, axes.laws),
            _Members.of(family, every - starts[family], axes.data),
            names,
        )

    def repeated(self, structure: Structure) -> Template:
        """The template for the class count of ``structure``."""
        old, classes = self.template, structure.classes
        column, column_cls, new_column = _repeat(self.columns, classes)
        row, row_cls, new_row = _repeat(self.rows, classes)
        offsets, sizes = {}, 0
        for name, shape in data_shapes(structure).items():
            offsets[name] = sizes
            sizes += int(np.prod(shape, dtype=int))
        entry, entry_cls, indptr, indices = self._entries(classes, row, row_cls, new_row, new_column)
        reach = _Reach(self.symbols, np.array([offsets[name] for name in self.symbol_family]), classes, max(sizes, 1))
        return Template(
            structure=structure,
            variable=old.variable[column],
            position=self.columns.position(column, column_cls, classes),
            law=old.law[row],
            place=self.rows.position(row, row_cls, classes),
            sense=old.sense[row],
            indptr=indptr,
            indices=indices,
            coefficients=reach.linear(old.coefficients, entry, entry_cls),
            rhs=reach.linear(old.rhs, row, row_cls),
            cost=reach.linear(old.cost, column, column_cls),
            symbol_offsets=offsets,
            symbols=sizes,
        )

    def _entries(
        self, classes: int, row: IntArray, row_cls: IntArray, new_row: IntArray, new_column: IntArray
    ) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        """Entries of the matrix: the old entry each repeats, its class, and rows in CSR form."""
        old = self.template
        row_of = np.repeat(np.arange(len(old.law)), np.diff(old.indptr))
        by_row, by_column = self.rows.run[row_of] > 0, self.columns.run[old.indices] > 0
        seed = (self.rows.cls[row_of] == 0) & (self.columns.cls[old.indices] == 0)
        entry, cls = _times(np.flatnonzero(seed), np.where(by_row | by_column, classes, 1)[seed])
        at = new_row[row_of[entry], np.where(by_row[entry], cls, 0)]
        indices = new_column[old.indices[entry], np.where(by_column[entry], cls, 0)]
        order = np.argsort(at * np.int64(max(len(self.columns.family), 1) * classes) + indices)
        indptr = np.zeros(len(row) + 1, dtype=np.int64)
        np.cumsum(np.bincount(at, minlength=len(row)), out=indptr[1:])
        return entry[order], cls[order], indptr, indices[order]


@dataclass(frozen=True)
class _Reach:
    """Where the symbols of a two-class template stand in a block of ``classes`` classes."""

    symbols: _Members
    offsets: IntArray
    classes: int
    count: int

    def linear(self, old: Linear, of: IntArray, cls: IntArray) -> Linear:
        """The entries ``of`` of a vector, each for its class."""
        picked = old.symbolic[of].tocoo()
        symbol = picked.col.astype(np.int64)
        new = self.offsets[self.symbols.family[symbol]] + self.symbols.position(symbol, cls[picked.row], self.classes)
        shape = (len(of), self.count)
        return Linear(old.constant[of], sp.csr_matrix((picked.data, (picked.row, new)), shape=shape))


def _repeat(members: _Members, classes: int) -> tuple[IntArray, IntArray, IntArray]:
    """Old member and class of each new member, in the order of families and positions; and the (old, classes) new member of each."""
    seed = np.flatnonzero(members.cls == 0)
    old, cls = _times(seed, np.where(members.run[seed] > 0, classes, 1))
    order = np.lexsort((members.position(old, cls, classes), members.family[old]))
    old, cls = old[order], cls[order]
    new = np.full((len(members.family), classes), -1, dtype=np.int64)
    new[old, cls] = np.arange(len(old))
    return old, cls, new


def _times(members: IntArray, counts: IntArray) -> tuple[IntArray, IntArray]:
    """Each member as often as its count, numbered from 0."""
    starts = np.cumsum(counts) - counts
    return np.repeat(members, counts), np.arange(int(counts.sum())) - np.repeat(starts, counts)


def _same(one: Template, two: Template) -> bool:
    """Both templates state the same block, entry by entry."""
    arrays = ("variable", "position", "law", "place", "sense", "indptr", "indices")
    if any(not np.array_equal(getattr(one, name), getattr(two, name)) for name in arrays):
        return False
    if one.symbol_offsets != two.symbol_offsets:
        return False
    for name in ("coefficients", "rhs", "cost"):
        a, b = getattr(one, name), getattr(two, name)
        if not np.array_equal(a.constant, b.constant) or a.symbolic.shape != b.symbolic.shape:
            return False
        if (a.symbolic != b.symbolic).nnz:
            return False
    return True
