"""The plan in coded form: what is shipped and what is served, by item, lane or arc, bucket and expiry class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.network.order import packed
from allocator.program.stack import Program
from allocator.program.stamp import VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Flows:
    """Positive flows: item, lane or arc, bucket, expiry day of the class (NEVER for none), quantity. [units]"""

    item: IntArray
    way: IntArray
    bucket: IntArray
    expiry: IntArray
    quantity: FloatArray

    def total(self) -> Flows:
        """The same flows with the classes added up."""
        if not len(self.item):
            return self
        key = packed(self.item, self.way, self.bucket)
        item, way, bucket, quantity = self.item, self.way, self.bucket, self.quantity
        if (key[1:] < key[:-1]).any():
            order = np.argsort(key, kind="stable")
            key, item, way, bucket, quantity = key[order], item[order], way[order], bucket[order], quantity[order]
        new = np.ones(len(key), dtype=bool)
        new[1:] = key[1:] != key[:-1]
        if not new.all():
            start = np.flatnonzero(new)
            item, way, bucket = item[start], way[start], bucket[start]
            quantity = np.add.reduceat(quantity, start)
        return Flows(item, way, bucket, np.full(len(item), -1, dtype=np.int64), quantity)


@dataclass(frozen=True)
class Quantities:
    """Shipments by lane and admissions by service arc."""

    shipments: Flows
    admissions: Flows


def read_quantities(network: Network, program: Program, x: FloatArray) -> Quantities:
    """Shipments and admissions of a point of a program."""
    columns = program.columns
    expiry = np.full(len(columns.item), -1, dtype=np.int64)
    own = np.isin(columns.variable, [VARIABLE_NAMES.index(name) for name in ("ship", "serve")])
    table = program.classes.expiry
    width = max(len(row) for row in table)
    padded = np.stack([np.pad(row, (0, width - len(row)), constant_values=-1) for row in table])
    expiry[own] = padded[columns.item[own], columns.cls[own]]
    step = np.where(network.quantum > 0, network.quantum, 0.0)[columns.item]
    noise = np.where(step > 0, 0.5 * step, 1e-9 * np.maximum(1.0, program.upper[: len(step)]))
    value = x[: len(step)]

    def flows(name: str) -> Flows:
        mine = np.flatnonzero((columns.variable == VARIABLE_NAMES.index(name)) & (value > noise))
        order = np.lexsort((expiry[mine], columns.bucket[mine], columns.first[mine], columns.item[mine]))
        at = mine[order]
        return Flows(columns.item[at], columns.first[at], columns.bucket[at], expiry[at], value[at])

    return Quantities(flows("ship"), flows("serve"))
