"""What the items' common use of each shared resource costs: a base price, a limit, and a price of what goes beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.prices import Prices
from allocator.program.stamp import LAW_NAMES
from allocator_models.resources import resource_indices
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class SharedLimits:
    """Uses of shared resources, R of them, in the order of the use laws and their index sets.

    All of what the model says of a use ``u`` is ``base * u + highest * max(0, u - limit)``, plus ``constant`` in all.

    Attributes
    ----------
    base : (R,) float
        Price of every unit of use: a vehicle's cost per m3, the price of a minimum fill (negative). [currency per unit of use]
    limit : (R,) float
        Use from which more is charged or forbidden; ``inf`` without one. [m3 or units]
    highest : (R,) float
        What going beyond the limit costs; for a hard limit a price above any real trade-off, which bounds its price in the dual. [currency per unit of use]
    hard : (R,) bool
        The limit never gives.
    law : (R,) int
        Use law (index into ``LAWS``); ``key`` (R, 3) its index, padded with -1.
    vehicle_volume, vehicle_cost : (R,) float
        Of lanes with started vehicles inside the commit window, else 0: there whole vehicles are paid. [m3, currency]
    constant : float
        [currency]
    start : dict
        First use of each law.
    """

    base: FloatArray
    limit: FloatArray
    highest: FloatArray
    hard: BoolArray
    law: IntArray
    key: IntArray
    vehicle_volume: FloatArray
    vehicle_cost: FloatArray
    constant: float
    start: dict[int, int]

    @property
    def count(self) -> int:
        """Number of uses R."""
        return len(self.base)

    def cost(self, use: FloatArray) -> float:
        """Cost of a use with vehicles as linear charges, less what hard limits forbid. [currency]"""
        return float(self.base @ use) + self.beyond(use)

    def beyond(self, use: FloatArray) -> float:
        """What comes on top of the base prices, vehicles as linear charges. [currency]"""
        return float(self.highest @ self.over(use)) + self.constant

    def over(self, use: FloatArray) -> FloatArray:
        """(R,) use beyond the limits."""
        return np.where(np.isfinite(self.limit), np.maximum(use - self.limit, 0.0), 0.0)

    def carried(self, cost: float, use: FloatArray) -> FloatArray:
        """(R,) what a unit of use carries on average, by kind of resource, of a plan that costs and uses that much. [currency per unit of use]"""
        total = np.bincount(self.law, weights=use, minlength=int(self.law.max(initial=0)) + 1)
        return np.asarray(abs(cost) / np.maximum(total[self.law], 1e-9))

    def lack(self, cost: float, use: FloatArray) -> float:
        """What a plan that costs and uses that much overdraws, valued at what it carries on average, as a part of what the plan is worth."""
        return float(self.over(use) @ self.carried(cost, use)) / max(abs(cost), 1.0)

    def empty_room(self, use: FloatArray) -> float:
        """Cost of the room that is left empty in started vehicles. [currency]"""
        started = self.vehicle_volume > 0
        count = use / np.where(started, self.vehicle_volume, 1.0)
        return float(np.where(started, self.vehicle_cost * (np.ceil(count - 1e-9) - count), 0.0).sum())


def build_limits(structure: Structure, data: dict[str, FloatArray], prices: Prices, volume: FloatArray) -> SharedLimits:
    """Read the limits off the numbers of the shared laws.

    Parameters
    ----------
    structure : Structure
    data : dict
        From :func:`allocator.program.resources.resource_data`.
    prices : Prices
    volume : (I,) float
        Of a unit of each item; with ``prices`` it gives the ceiling of hard limits' prices. [m3]
    """
    ceiling = _ceilings(data, prices, volume)
    parts: list[tuple[FloatArray, ...]] = []
    law: list[int] = []
    keys: list[tuple[int, ...]] = []
    start: dict[int, int] = {}
    constant = 0.0
    for name, found in resource_indices(structure).items():
        number = LAW_NAMES.index(name)
        start[number] = len(law)
        if not found:
            continue
        law += [number] * len(found)
        keys += [(*key, *([-1] * (3 - len(key)))) for key in found]
        index = np.array(found, dtype=np.int64).reshape(len(found), -1)
        part = _KINDS[name](structure, data, ceiling, index)
        parts.append(part)
        if name == "use_fill":
            constant += float((data["fill_cost"] * part[1]).sum())
    columns = [np.concatenate([part[k] for part in parts] or [np.empty(0)]) for k in range(6)]
    base, limit, highest, hard, volume, cost = columns
    return SharedLimits(
        base,
        limit,
        highest,
        hard.astype(bool),
        np.array(law, dtype=np.int64),
        np.array(keys, dtype=np.int64).reshape(-1, 3),
        volume,
        cost,
        constant,
        start,
    )


@dataclass(frozen=True)
class _Ceiling:
    """More than a plan can gain by going over a hard limit. [currency per m3; currency per unit]"""

    volume: float
    unit: float


def _ceilings(data: dict[str, FloatArray], prices: Prices, volume: FloatArray) -> _Ceiling:
    # a m3 that gets out of a full site saves its storage there on every day to come, and may end what a lock, a level or an inbound limit
    # costs where it goes: a ceiling of one of these prices alone would make breaking a hard limit pay
    days = float(np.sum(data["over_storage_cost"])) / prices.volume if prices.volume > 0 else 0.0
    m3 = (2.0 * days + 20.0) * prices.volume
    some = volume[volume > 0]
    if len(some) and (data["fill_floor"] > 0).any():
        m3 += prices.fill / float(some.min())
    return _Ceiling(m3, (2.0 * days + 20.0) * prices.fill + float(volume.max(initial=0.0)) * m3)


def _lanes(x: Structure, data: dict[str, FloatArray], ceiling: _Ceiling, index: IntArray) -> tuple[FloatArray, ...]:
    lane, t = index[:, 0], index[:, 1]
    cost, volume = data["vehicle_cost"][lane], data["vehicle_volume"][lane]
    charged = cost > 0
    base = np.where(charged, cost / np.where(charged, volume, 1.0), 0.0)
    room = np.where(charged, volume * data["vehicle_max"][lane, t], np.inf)
    whole = charged & (t < x.committed)
    return (
        base,
        np.minimum(data["lane_limit"][lane, t], room),
        np.full(len(index), ceiling.volume),
        np.ones(len(index)),
        np.where(whole, volume, 0.0),
        np.where(whole, cost, 0.0),
    )


def _simple(limit: str, elastic: str | None, units: bool) -> Callable[..., tuple[FloatArray, ...]]:
    def read(x: Structure, data: dict[str, FloatArray], ceiling: _Ceiling, index: IntArray) -> tuple[FloatArray, ...]:
        n = len(index)
        bound = data[limit][tuple(index.T)]
        if elastic is None:
            highest = np.full(n, ceiling.unit if units else ceiling.volume)
        else:
            highest = np.broadcast_to(np.asarray(data[elastic], dtype=float), (x.buckets,))[index[:, 1]]
        return np.zeros(n), bound, highest, np.full(n, float(elastic is None)), np.zeros(n), np.zeros(n)

    return read


def _fill(x: Structure, data: dict[str, FloatArray], ceiling: _Ceiling, index: IntArray) -> tuple[FloatArray, ...]:
    # cost * max(0, floor - use) = cost * floor - cost * use + cost * max(0, use - floor)
    n = len(index)
    cost = np.full(n, float(data["fill_cost"]))
    return -cost, data["fill_floor"][index[:, 0]], cost, np.zeros(n), np.zeros(n), np.zeros(n)


_KINDS: dict[str, Callable[..., tuple[FloatArray, ...]]] = {
    "use_lane_volume": _lanes,
    "use_inbound": _simple("inbound_limit", "over_inbound_cost", units=False),
    "use_outbound": _simple("outbound_limit", None, units=False),
    "use_outbound_units": _simple("units_limit", None, units=True),
    "use_storage": _simple("storage_limit", "over_storage_cost", units=False),
    "use_admission": _simple("admission_limit", None, units=True),
    "use_fill": _fill,
}
