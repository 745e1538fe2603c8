"""Stamp a template for many items at once: one block-diagonal piece of the program, no loop over items."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.program.data import ItemData
from allocator.program.template import AT_LEAST, AT_MOST, EQUAL, Template
from allocator_models.block import LAWS, USES, VARIABLES
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

VARIABLE_NAMES = tuple(VARIABLES)
LAW_NAMES = tuple(LAWS)


@dataclass(frozen=True)
class Columns:
    """What each column is: item, variable, its site/lane/arc/claim, class (-1: none), bucket, and outlook (-1: decided for all of several)."""

    item: IntArray
    variable: IntArray
    first: IntArray
    cls: IntArray
    bucket: IntArray
    outlook: IntArray


@dataclass(frozen=True)
class Piece:
    """The rows and columns of some items.

    Attributes
    ----------
    cost, lower, upper : (n,) float
    integer : (n,) bool
    columns : Columns
    row, column, value : (z,)
        Entries of the items' own rows, sorted by row.
    row_lower, row_upper : (m,) float
    row_item, row_law, row_place : (m,) int
    use_law, use_place, use_column, use_value : (u,)
        Entries of the uses of shared resources.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    columns: Columns
    row: IntArray
    column: IntArray
    value: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    row_item: IntArray
    row_law: IntArray
    row_place: IntArray
    use_law: IntArray
    use_place: IntArray
    use_column: IntArray
    use_value: FloatArray


def index_arrays(structure: Structure, name: str) -> tuple[IntArray, IntArray, IntArray]:
    """Site/lane/arc/claim, class (-1) and bucket of each member of a variable's index set."""
    found = list(VARIABLES[name](structure))
    if not found:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    width = len(found[0])
    keys = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=width * len(found)).reshape(-1, width)
    if width == 3:
        return keys[:, 0], keys[:, 1], keys[:, 2]
    return keys[:, 0], np.full(len(keys), -1, dtype=np.int64), keys[:, 1]


def stamp(template: Template, block: ItemData) -> Piece:
    """Evaluate a template for the items of ``block``.

    Columns fixed at zero and rows that can't bind inside the bounds are left out.

    Parameters
    ----------
    template : Template
    block : ItemData
        G items with the template's number of classes.

    Returns
    -------
    Piece
    """
    symbols = template.flatten(block.data)
    lower, upper, integer = _bounds(template, block)
    cost = template.cost.at(symbols)
    rhs = template.rhs.at(symbols)
    values = template.coefficients.at(symbols)
    row_of = np.repeat(np.arange(len(template.law)), np.diff(template.indptr))
    keep_column = (lower != 0) | (upper != 0)
    is_use = np.array([LAWS[name].use for name in LAW_NAMES])[template.law]
    live = keep_column[:, template.indices] & (values != 0)
    ug, uz = np.nonzero(live & is_use[row_of])
    g, z = np.nonzero(live & ~is_use[row_of])
    keep_row = (
        _binding(template, _Entries(g, row_of[z], template.indices[z], values[g, z]), lower, upper, rhs) & ~is_use
    )
    kept = keep_row[g, row_of[z]]
    g, z = g[kept], z[kept]
    new_column = np.cumsum(keep_column.ravel()).reshape(keep_column.shape) - 1
    new_row = np.cumsum(keep_row.ravel()).reshape(keep_row.shape) - 1
    kg, kc = np.nonzero(keep_column)
    rg, rr = np.nonzero(keep_row)
    sense, right = template.sense[rr], rhs[rg, rr]
    tables = [index_arrays(template.structure, name) for name in VARIABLE_NAMES]
    flat = [np.concatenate([t[k] for t in tables]) for k in range(3)]
    offset = np.cumsum([0] + [len(t[0]) for t in tables])
    member = offset[template.variable] + template.position
    return Piece(
        cost=cost[kg, kc],
        lower=lower[kg, kc],
        upper=upper[kg, kc],
        integer=integer[kg, kc],
        columns=Columns(
            block.items[kg],
            template.variable[kc],
            flat[0][member][kc],
            flat[1][member][kc],
            flat[2][member][kc],
            np.zeros(len(kc), dtype=np.int64) if template.outlook is None else template.outlook[kc],
        ),
        row=new_row[g, row_of[z]],
        column=new_column[g, template.indices[z]],
        value=values[g, z],
        row_lower=np.where(sense == AT_MOST, -np.inf, right),
        row_upper=np.where(sense == AT_LEAST, np.inf, right),
        row_item=block.items[rg],
        row_law=template.law[rr],
        row_place=template.place[rr],
        use_law=template.law[row_of[uz]],
        use_place=template.place[row_of[uz]],
        use_column=new_column[ug, template.indices[uz]],
        use_value=values[ug, uz],
    )


def _bounds(template: Template, block: ItemData) -> tuple[FloatArray, FloatArray, BoolArray]:
    shape = (len(block.items), len(template.variable))
    lower, upper, integer = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool)
    for number, name in enumerate(VARIABLE_NAMES):
        mine = np.flatnonzero(template.variable == number)
        at = template.position[mine]
        if name in block.integer:
            integer[:, mine] = block.integer[name][:, at]
        if template.outlook is not None:
            size = block.upper[name].shape[1] // template.structure.outlooks
            at = at + np.maximum(template.outlook[mine], 0) * size
        lower[:, mine] = block.lower[name][:, at]
        upper[:, mine] = block.upper[name][:, at]
    return lower, upper, integer


@dataclass(frozen=True)
class _Entries:
    """Entries of the items' own rows that are not 0, in columns that are kept: item of the group, row, column, value."""

    item: IntArray
    row: IntArray
    column: IntArray
    value: FloatArray


def _binding(template: Template, entries: _Entries, lower: FloatArray, upper: FloatArray, rhs: FloatArray) -> BoolArray:
    """Rows that could bind: what the bounds alone already guarantee is left out.

    Raises
    ------
    ArithmeticError
        When an equation is left with no column and a right-hand side other than 0 (a fault of the program, never of the data).
    """
    low_end = entries.value * lower[entries.item, entries.column]
    high_end = entries.value * upper[entries.item, entries.column]
    up = entries.value > 0
    at = entries.item * np.int64(rhs.shape[1]) + entries.row

    def per_row(weights: FloatArray | None) -> NDArray[Any]:
        return np.bincount(at, weights, minlength=rhs.size).reshape(rhs.shape)

    low, high = per_row(np.where(up, low_end, high_end)), per_row(np.where(up, high_end, low_end))
    count = per_row(None)
    slack = 1e-9 * np.maximum(1.0, np.abs(np.where(np.isfinite(rhs), rhs, 0.0)))
    sense = template.sense[None, :]
    implied = ((sense == AT_MOST) & (high <= rhs + slack)) | ((sense == AT_LEAST) & (low >= rhs - slack))
    hollow = (sense == EQUAL) & (count == 0)
    wrong = hollow & (np.abs(rhs) > slack)
    if wrong.any():
        item, row = np.argwhere(wrong)[0]
        name = LAW_NAMES[template.law[row]]
        raise ArithmeticError(
            f"law {name}, row {template.place[row]} of item {item}: no column left for {rhs[item, row]:g}"
        )
    return np.asarray(~implied & ~hollow)


def use_names() -> tuple[str, ...]:
    """Names of the use laws."""
    return USES
