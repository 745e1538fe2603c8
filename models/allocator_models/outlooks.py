"""Several outlooks on demand: what is decided before it shows is the same in all of them.

The laws of the block hold in every outlook w for its own demand. Outlooks are equally likely; the cost, and what an item
uses of the shared resources, is the mean over them. With one outlook this is the block itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyomo.environ as pyo

from allocator_models.block import LAWS, VARIABLES, Index, build_block
from allocator_models.structure import Structure

BY_OUTLOOK: tuple[str, ...] = ("demand", "lapsed")
"""Symbols of an item's data that differ between outlooks."""


def never(x: Structure, key: Index) -> bool:
    """Not decided before demand shows."""
    return False


def _always(x: Structure, key: Index) -> bool:
    return True


def _committed(x: Structure, key: Index) -> bool:
    return key[-1] < x.committed


DECIDED: dict[str, Callable[[Structure, Index], bool]] = {
    name: {
        "ship": _committed,
        "packs": _always,
        "moved": _always,
        "lock_short": _committed,
        "up": _committed,
        "down": _committed,
    }.get(name, never)
    for name in VARIABLES
}
"""Which members of a variable's index set are decided before demand shows: shipments of the commit window, and what counts them."""


def foresight(m: Any, w: int, name: str, key: Index) -> Any:
    """What is decided in the commit window is the same in every outlook.

    ``v[k,w] = v[k,0]`` for v among ship, packs, moved, lock_short, up and down of the commit window. Serving, stock, waste, losses, backlog and
    stock levels are each outlook's own from the first bucket on. Dual: what knowing the outlook beforehand would be worth.
    """
    return getattr(m.outlook[w], name)[key] == getattr(m.outlook[0], name)[key]


def build_outlooks(
    structure: Structure, data: Sequence[Mapping[str, Any]], bounds: Mapping[str, Any] | Sequence[Mapping[str, Any]]
) -> pyo.ConcreteModel:
    """Build one item's block over several outlooks, the ordinary Pyomo way.

    Parameters
    ----------
    structure : Structure
    data : sequence of mappings
        The item's data in each outlook, as in :func:`allocator_models.block.build_block`.
    bounds : sequence of mappings
        Bounds of each variable in each outlook.

    Returns
    -------
    pyomo.environ.ConcreteModel
        ``outlook[w]``, a block each; ``law_foresight``; one ``Expression`` ``law_USE`` for each use law, the mean over the outlooks; and
        ``cost``, the mean cost.
    """
    m = pyo.ConcreteModel()
    count = len(data)
    m.outlook = pyo.Block(range(count))
    for w in range(count):
        block = build_block(structure, data[w], bounds[w])  # type: ignore[index]
        block.cost.deactivate()
        m.outlook[w].transfer_attributes_from(block)
    m.law_foresight = pyo.ConstraintList()
    for name, indices in VARIABLES.items():
        for key in indices(structure):
            if DECIDED[name](structure, key):
                for w in range(1, count):
                    m.law_foresight.add(foresight(m, w, name, key))
    for name, law in LAWS.items():
        if law.use:
            means = {
                key: sum(getattr(m.outlook[w], f"law_{name}")[key] for w in range(count)) / count
                for key in law.indices(structure)
            }
            setattr(m, f"law_{name}", pyo.Expression(list(means), rule=lambda _, *key, means=means: means[key]))
    m.cost = pyo.Objective(expr=sum(m.outlook[w].cost.expr for w in range(count)) / count)
    return m
