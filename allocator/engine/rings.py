"""Rings of same-day shipments: goods that would feed themselves within one bucket are taken out of a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import Problem
from allocator.network.network import Network
from allocator.program.stack import Program
from allocator.program.stamp import VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

TOLERANCE = 1e-6
"""Row violation, relative to the row, that counts as none."""


def ring_columns(network: Network, program: Program, x: FloatArray) -> list[IntArray]:
    """Columns of shipments that form rings.

    A ring needs lanes that arrive in the bucket they leave in, and shipments of one item on all of them. Freight keeps
    a plan from going round for nothing; packs, minimum quantities, locks and shares of stock can make it pay.

    Returns
    -------
    list of (k,) int
        The shipment columns of one ring each; rings share no column.
    """
    columns, lanes = program.columns, network.lanes
    ship = np.flatnonzero((columns.variable == VARIABLE_NAMES.index("ship")) & (x[: len(columns.item)] > 1e-9))
    lane, bucket = columns.first[ship], columns.bucket[ship]
    ship = ship[lanes.arrival[lane, bucket] == bucket]
    lane, bucket, item = columns.first[ship], columns.bucket[ship], columns.item[ship]
    items, sites, buckets = network.size
    item = item + items * (columns.outlook[ship] + 1)
    place = (item * buckets + bucket) * np.int64(sites)
    tail, head = place + lanes.origin[lane], place + lanes.destination[lane]
    left = np.arange(len(ship))
    while len(
        left
    ):  # shipments out of a site that nothing comes into today, or into one that nothing leaves, are in no ring
        keep = np.isin(tail[left], head[left]) & np.isin(head[left], tail[left])
        if keep.all():
            break
        left = left[keep]
    return [ship[ring] for ring in _walk(left, tail, head)]


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


def cancel_rings(problem: Problem, x: FloatArray, rings: list[IntArray]) -> tuple[FloatArray, list[IntArray]]:
    """Take out of x what goes round, where that breaks no row (packs, jit, shares may need it); the rings that are left."""
    x = x.copy()
    left = []
    for ring in rings:
        without = x.copy()
        without[ring] -= x[ring].min()
        if _feasible(problem, without):
            x = without
        else:
            left.append(ring)
    return x, left


def _feasible(problem: Problem, x: FloatArray) -> bool:
    activity = problem.row_sums(problem.values * x[problem.indices])
    slack = TOLERANCE * np.maximum(1.0, np.abs(activity))
    return bool(((activity >= problem.row_lower - slack) & (activity <= problem.row_upper + slack)).all())
