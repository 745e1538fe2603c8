"""Which sites must ship first when goods arrive on the day they leave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.lots.records import Flags, Longs, Rows


class Levels(NamedTuple):
    """Level of each group (0 ships first), the number of levels, and the level that holds cycles (-1 if none)."""

    of: Longs
    number: int
    cyclic: int


def levels(origin: Rows, destination: Rows, n_groups: int) -> Levels:
    """Level the groups by their same-bucket shipments: upstream before downstream.

    Groups on a cycle (or between two) share one level after all that do not hang on a cycle; what lies downstream of
    them follows.

    Parameters
    ----------
    origin, destination : (Z,) groups of each shipment that arrives in the bucket it leaves.
    n_groups : int

    Returns
    -------
    Levels
        `of` : (n_groups,) int64
    """
    level = np.zeros(n_groups, dtype=np.int64)
    height, rest = _deepen(level, origin, destination, 0)
    if not rest.any():
        return Levels(level, height + 1, -1)
    core = _upstream(origin[rest], destination[rest], n_groups)
    cyclic = height + 1
    tail = np.concatenate((origin[rest], destination[rest]))
    level[tail] = cyclic + 1
    level[np.flatnonzero(core)] = cyclic
    inside = rest & ~core[origin]
    top, _ = _deepen(level, origin[inside], destination[inside], cyclic + 1)
    return Levels(level, top + 1, cyclic)


def _deepen(level: Longs, origin: Rows, destination: Rows, floor: int) -> tuple[int, Flags]:
    """Raise destinations one level per step while their origin was raised; stop when none or only cycles are left."""
    alive = np.ones(len(origin), dtype=np.bool_)
    depth = floor
    while alive.any():
        raised = np.zeros(len(level), dtype=np.bool_)
        raised[destination[alive]] = True
        following = alive & raised[origin]
        if following.sum() == alive.sum():
            break
        depth += 1
        level[np.flatnonzero(raised)] = depth
        alive = following
    return depth, alive


def _upstream(origin: Rows, destination: Rows, n_groups: int) -> Flags:
    """Mark the groups from which a cycle can be reached: peel off dead ends until none is left."""
    alive = np.ones(len(origin), dtype=np.bool_)
    while True:
        leads = np.zeros(n_groups, dtype=np.bool_)
        leads[origin[alive]] = True
        following = alive & leads[destination]
        if following.sum() == alive.sum():
            return leads
        alive = following
