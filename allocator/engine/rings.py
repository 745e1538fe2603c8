"""Rings of same-day shipments: goods that would feed themselves within one bucket are taken out of a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import Problem
from allocator.network.network import Network
from allocator.program.stack import Program
from allocator.program.stamp import VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RING_ROUNDS = 25
"""Times that rings are closed before a program is given up."""
TOLERANCE = 1e-6
"""Row violation, relative to the row, that counts as none."""


def ring_columns(network: Network, program: Program, x: FloatArray) -> list[IntArray]:
    """Columns of shipments that form rings, as :func:`find_rings` gives them."""
    columns = program.columns
    ship = np.flatnonzero((columns.variable == VARIABLE_NAMES.index("ship")) & (x[: len(columns.item)] > 1e-9))
    owner = columns.item[ship] + len(network.items) * (columns.outlook[ship] + 1)
    return find_rings(network, ship, owner, columns.first[ship], columns.bucket[ship])


def find_rings(network: Network, ship: IntArray, owner: IntArray, lane: IntArray, bucket: IntArray) -> list[IntArray]:
    """Rings among some shipments.

    A ring needs lanes that arrive in the bucket they leave in, and shipments of one item on all of them. Freight keeps
    a plan from going round for nothing; packs, minimum quantities, locks and shares of stock can make it pay.

    Parameters
    ----------
    network : Network
    ship : (n,) int
        Columns of the shipments.
    owner, lane, bucket : (n,) int
        What shares stock (an item in an outlook), where it goes and when.

    Returns
    -------
    list of (k,) int
        The shipment columns of one ring each; rings share no column.
    """
    lanes = network.lanes
    today = lanes.arrival[lane, bucket] == bucket
    ship, owner, lane, bucket = (values[today] for values in (ship, owner, lane, bucket))
    _, sites, buckets = network.size
    place = (owner.astype(np.int64) * buckets + bucket) * sites
    tail, head = place + lanes.origin[lane], place + lanes.destination[lane]
    return [ship[ring] for ring in _walk(_circling(tail, head), tail, head)]


def rings_possible(network: Network) -> bool:
    """Whether some lanes that can arrive on the day they leave lead back to where they began."""
    lanes = network.lanes
    today = (lanes.arrival == np.arange(lanes.arrival.shape[1])).any(axis=1)
    return bool(len(_circling(lanes.origin[today], lanes.destination[today])))


def _circling(tail: IntArray, head: IntArray) -> IntArray:
    """Edges that are left without those out of a place that nothing comes into, or into one that nothing leaves: these are in no ring."""
    left = np.arange(len(tail))
    while len(left):
        keep = np.isin(tail[left], head[left]) & np.isin(head[left], tail[left])
        if keep.all():
            break
        left = left[keep]
    return left


def _walk(left: IntArray, tail: IntArray, head: IntArray) -> list[IntArray]:
    """Follow shipments from site to site until one is met again."""
    out: dict[int, int] = {}
    for edge in left.tolist():
        out.setdefault(int(tail[edge]), edge)
    rings: list[IntArray] = []
    seen: set[int] = set()
    for start in list(out):
        path: list[int] = []
        met: dict[int, int] = {}
        node = start
        while node in out and node not in seen and node not in met:
            met[node] = len(path)
            path.append(out[node])
            node = int(head[out[node]])
        if node in met:
            rings.append(np.array(path[met[node] :], dtype=np.int64))
        seen.update(met)
    return rings


def close_rings(problem: Problem, x: FloatArray, rings: list[IntArray]) -> Problem:
    """The problem with the weakest shipment of each ring ruled out."""
    upper = problem.upper.copy()
    for ring in rings:
        weakest = ring[np.argmin(x[ring])]
        upper[weakest] = problem.lower[weakest]
    return replace(problem, upper=upper)


def cancel_rings(
    problem: Problem, x: FloatArray, look: Callable[[FloatArray], list[IntArray]]
) -> tuple[FloatArray, list[IntArray]]:
    """Take out of x what goes round, where that breaks no row (packs, jit, shares may need it); the rings that are left.

    ``look`` gives the rings of a point that share no column: what is left of one may close another.
    """
    while True:
        left, taken = [], False
        for ring in look(x):
            without = x.copy()
            without[ring] -= x[ring].min()
            if _feasible(problem, without):
                x, taken = without, True
            else:
                left.append(ring)
        if not taken:
            return x, left


def _feasible(problem: Problem, x: FloatArray) -> bool:
    activity = problem.row_sums(problem.values * x[problem.indices])
    slack = TOLERANCE * np.maximum(1.0, np.abs(activity))
    return bool(((activity >= problem.row_lower - slack) & (activity <= problem.row_upper + slack)).all())
