"""Compile the block of an item once: columns, rows, and coefficients that are linear in the item's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from allocator_models.block import LAWS, VARIABLES, build_block, data_shapes
from allocator_models.outlooks import BY_OUTLOOK
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

EQUAL, AT_MOST, AT_LEAST = 0, 1, -1
_SENSE = {0: EQUAL, 1: AT_MOST, -1: AT_LEAST}


@dataclass(frozen=True)
class Linear:
    """A vector of numbers, some of which are linear in the symbols: ``constant + symbolic @ symbols``.

    Attributes
    ----------
    constant : (n,) float
    symbolic : (n, P) sparse float
    """

    constant: FloatArray
    symbolic: sp.csr_matrix

    def at(self, symbols: FloatArray) -> FloatArray:
        """Values for each item, (I, n), from its symbols (I, P)."""
        rows = np.flatnonzero(np.diff(self.symbolic.indptr))
        values = np.repeat(self.constant[None, :], len(symbols), axis=0)
        if len(rows):
            values[:, rows] += np.asarray((self.symbolic[rows] @ symbols.T).T)
        return values


@dataclass(frozen=True)
class Template:
    """The standard form of an item's block.

    Attributes
    ----------
    structure : Structure
    variable : (n,) int
        Index into ``VARIABLES`` of each column; ``position`` (n,) its place in that variable's index set.
    law : (m,) int
        Index into ``LAWS`` of each row; ``place`` (m,) its place in that law's index set; ``sense`` (m,) 0 =, 1 <=, -1 >=.
    indptr, indices : (m+1,), (z,) int
        Rows in CSR form.
    coefficients, rhs, cost : Linear
        Of length z, m, n.
    symbol_offsets : dict
        First symbol of each entry of the data; of the first outlook, where there are several.
    outlook : (n,) int or None
        Outlook of each column, -1 for what is decided for all; None for a single outlook.
    """

    structure: Structure
    variable: IntArray
    position: IntArray
    law: IntArray
    place: IntArray
    sense: IntArray
    indptr: IntArray
    indices: IntArray
    coefficients: Linear
    rhs: Linear
    cost: Linear
    symbol_offsets: dict[str, int]
    symbols: int
    outlook: IntArray | None = None

    def flatten(self, data: dict[str, FloatArray]) -> FloatArray:
        """Stack the data of I items into their symbols, (I, P); what differs between outlooks has an outlook axis behind the item axis."""
        items = len(data["unit_volume"])
        out = np.empty((items, self.symbols))
        several = self.outlook is not None
        base = 0
        for name, shape in data_shapes(self.structure).items():
            start = self.symbol_offsets[name]
            size = int(np.prod(shape, dtype=int))
            values = data[name][:, 0] if several and name in BY_OUTLOOK else data[name]
            out[:, start : start + size] = np.reshape(values, (items, size))
            base += size
        for outlook in range(1, self.structure.outlooks if several else 1):
            for name in BY_OUTLOOK:
                values = data[name][:, outlook]
                size = int(np.prod(values.shape[1:], dtype=int))
                out[:, base : base + size] = np.reshape(values, (items, size))
                base += size
        return out


def compile_block(structure: Structure) -> Template:
    """Compile the item block of a structure.

    Parameters
    ----------
    structure : Structure

    Returns
    -------
    Template

    Notes
    -----
    Pyomo's parameterised standard-form compiler does the algebra; coefficients come back as numbers or as expressions in the
    symbols, which are all linear in them by construction of the laws.
    """
    from pyomo.common.gc_manager import PauseGC

    # expressions are many small objects and no garbage: the collector would walk them again and again
    with PauseGC():
        return _compile(structure)


def _compile(structure: Structure) -> Template:
    from pyomo.repn.plugins.parameterized_standard_form import ParameterizedLinearStandardFormCompiler

    model = build_block(structure)
    symbol_of: dict[int, int] = {}
    offsets: dict[str, int] = {}
    for symbol in model.symbols:
        offsets[symbol.local_name] = len(symbol_of)
        for entry in symbol.values():
            symbol_of[id(entry)] = len(symbol_of)
    columns = {name: getattr(model, name) for name in VARIABLES}
    form = ParameterizedLinearStandardFormCompiler().write(
        model, wrt=model.symbols, mixed_form=True, column_order=list(columns.values())
    )
    place = {
        id(entry): (number, position)
        for number, variable in enumerate(columns.values())
        for position, entry in enumerate(variable.values())
    }
    found = np.array([place[id(column)] for column in form.columns], dtype=np.int64).reshape(-1, 2)
    law_place: dict[int, tuple[int, int]] = {}
    for number, (name, law) in enumerate(LAWS.items()):
        constraint = getattr(model, f"law_{name}")
        keys = [key[0] if len(key) == 1 else key for key in law.indices(structure)]
        for position, key in enumerate(keys):
            if key in constraint:
                law_place[id(constraint[key])] = (number, position)
    rows = np.array([law_place[id(row.constraint)] for row in form.rows], dtype=np.int64).reshape(-1, 2)
    indptr, indices, entries = _csr(form.A, len(form.rows))
    cost = _dense_row(form.c, len(form.columns))
    read = _Reader(symbol_of)
    return Template(
        structure=structure,
        variable=found[:, 0],
        position=found[:, 1],
        law=rows[:, 0],
        place=rows[:, 1],
        sense=np.array([_SENSE[row.bound_type] for row in form.rows], dtype=np.int64),
        indptr=indptr,
        indices=indices,
        coefficients=read.linear(entries),
        rhs=read.linear(list(form.rhs)),
        cost=read.linear(cost),
        symbol_offsets=offsets,
        symbols=len(symbol_of),
    )


def _csr(matrix: Any, rows: int) -> tuple[IntArray, IntArray, list[Any]]:
    """Row-major form of the compiler's column-major matrix, by one stable sort."""
    column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    count = int(matrix.indptr[-1])
    row = np.asarray(matrix.indices[:count], dtype=np.int64)
    order = np.argsort(row, kind="stable")
    indptr = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=rows), out=indptr[1:])
    data = matrix.data
    return indptr, column[order].astype(np.int64), [data[k] for k in order]


def _dense_row(matrix: Any, columns: int) -> list[Any]:
    dense: list[Any] = [0.0] * columns
    for column in range(columns):
        for k in range(int(matrix.indptr[column]), int(matrix.indptr[column + 1])):
            dense[column] = matrix.data[k]
    return dense


class _Reader:
    """Turns compiled coefficients into numbers plus multiples of symbols."""

    def __init__(self, symbol_of: dict[int, int]) -> None:
        self.symbol_of = symbol_of

    def linear(self, entries: list[Any]) -> Linear:
        constant = np.zeros(len(entries))
        row: list[int] = []
        column: list[int] = []
        value: list[float] = []
        for k, entry in enumerate(entries):
            if isinstance(entry, int | float | np.number):
                constant[k] = entry
                continue
            for symbol, coefficient in self.terms(entry):
                if symbol < 0:
                    constant[k] += coefficient
                else:
                    row.append(k)
                    column.append(symbol)
                    value.append(coefficient)
        shape = (len(entries), max(len(self.symbol_of), 1))
        return Linear(constant, sp.csr_matrix((value, (row, column)), shape=shape))

    def terms(self, entry: Any) -> list[tuple[int, float]]:
        """Multiples of symbols in an expression; symbol -1 stands for the constant."""
        if id(entry) in self.symbol_of:
            return [(self.symbol_of[id(entry)], 1.0)]
        kind = entry.__class__.__name__
        if kind == "MonomialTermExpression":
            factor, symbol = entry.args
            return [(self.symbol_of[id(symbol)], float(factor))]
        if kind == "NegationExpression":
            return [(symbol, -c) for symbol, c in self.terms(entry.args[0])]
        if kind in ("SumExpression", "LinearExpression", "NPV_SumExpression"):
            return [term for part in entry.args for term in self.terms(part)]
        if kind == "ProductExpression":
            left, right = entry.args
            if isinstance(left, int | float | np.number):
                return [(symbol, c * float(left)) for symbol, c in self.terms(right)]
            if isinstance(right, int | float | np.number):
                return [(symbol, c * float(right)) for symbol, c in self.terms(left)]
        if isinstance(entry, int | float | np.number):
            return [(-1, float(entry))]
        raise TypeError(f"a coefficient is not linear in the data of an item: {entry} ({kind})")
