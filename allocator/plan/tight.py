"""Prices: what the next unit of each tight resource, and of stock at each site, is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Flows
from allocator.engine.whole import Solution
from allocator.network.network import Network
from allocator.program.stack import Program
from allocator.program.stamp import LAW_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

KINDS = {
    "lane_volume": ("lane_volume", "m3"),
    "vehicle": ("vehicles", "m3"),
    "inbound": ("inbound", "m3"),
    "outbound": ("outbound", "m3"),
    "outbound_units": ("outbound_units", "units"),
    "storage": ("storage", "m3"),
    "admission": ("admission", "units"),
    "fill": ("min_fill", "units"),
}


@dataclass(frozen=True)
class Marginals:
    """What the next unit is worth: shared limits with a price, and stock by item, site and bucket.

    Attributes
    ----------
    resources : list of dict
        Shared limits with a price, dearest first: resource, site, origin, destination, mode, channel, date, price
        (currency per unit), use, limit, unit.
    bid_key : (K,) int
        ``(item * sites + site) * buckets + bucket``, sorted and unique.
    bid_value : (K,) float
        Value of one more unit there, above 0. [currency per unit]
    """

    resources: list[dict[str, Any]]
    bid_key: IntArray
    bid_value: FloatArray

    def at(self, key: IntArray) -> FloatArray:
        """Value of one more unit at places, 0 where nothing is scarce. [currency per unit]"""
        out = np.zeros(len(key))
        if len(self.bid_key):
            place = np.minimum(np.searchsorted(self.bid_key, key), len(self.bid_key) - 1)
            hit = self.bid_key[place] == key
            out[hit] = self.bid_value[place[hit]]
        return out


def whole_marginals(
    network: Network, program: Program, solution: Solution, over: tuple[Program, Solution] | None = None
) -> Marginals:
    """Marginals of a solved program; stock is valued ``over`` another, that of several outlooks, where one is given."""
    stacked, solved = over or (program, solution)
    keys, values = stock_values(network, stacked, solved.row_dual)
    return Marginals(resource_prices(network, program, solution), keys, values)


def bids(marginals: Marginals, network: Network, admissions: Flows) -> FloatArray:
    """Value of one more unit at the serving site on the day, for each admission. [currency per unit]"""
    _, sites, buckets = network.size
    site = network.claims.arc_site[admissions.way]
    return marginals.at((admissions.item * np.int64(sites) + site) * buckets + admissions.bucket)


def resource_prices(network: Network, program: Program, solution: Solution) -> list[dict[str, Any]]:
    """Shared limits with a price, dearest first.

    Returns
    -------
    list of dict
        resource, site, origin, destination, mode, channel, date, price (currency per unit), use, limit, unit.
    """
    shared = program.shared
    dual = solution.row_dual[program.first_shared_row :]
    at_least = np.isinf(shared.row_upper)
    price = np.where(at_least, dual, -dual)
    x = solution.x[program.first_shared_column :]
    found = []
    for row in np.flatnonzero(price > 1e-7 * max(1.0, float(np.abs(price).max(initial=0.0)))):
        law = shared.law[row]
        if law == "vehicle" and price[row] <= _own_price(network, int(shared.row_key[row][0])) * (1 + 1e-6):
            continue
        entries = shared.row == row
        used = [k for k in np.flatnonzero(entries) if shared.variable[shared.column[k]].startswith("use_")]
        use = float(sum(shared.value[k] * x[shared.column[k]] for k in used))
        bound = shared.row_lower[row] if at_least[row] else shared.row_upper[row]
        limit = float(bound) if law != "vehicle" else use
        found.append(tight_limit(network, law, shared.row_key[row], float(price[row]), use, limit))
    return dearest_first(found)


def tight_limit(
    network: Network, law: str, key: NDArray[np.int64], price: float, use: float, limit: float
) -> dict[str, Any]:
    """One shared limit with a price: what it is, where and when, price per unit, use, limit, unit."""
    kind, unit = KINDS[law]
    return {"resource": kind, **place(network, law, key), "price": price, "use": use, "limit": limit, "unit": unit}


def dearest_first(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Shared limits in the order of the certificate."""
    return sorted(found, key=lambda e: (-e["price"], e["resource"], str(e["site"]), str(e["origin"]), str(e["date"])))


def _own_price(network: Network, lane: int) -> float:
    """What a m3 of vehicle costs; a price that is no more than that says nothing."""
    return float(network.lanes.cost_per_shipment[lane] / network.lanes.vehicle_volume[lane])


def place(network: Network, law: str, key: NDArray[np.int64]) -> dict[str, str | None]:
    """Codes and date of a row of a shared law; None where it has none."""
    place: dict[str, str | None] = dict.fromkeys(("site", "origin", "destination", "mode", "channel", "date"))
    days = network.calendar.first
    if law in ("lane_volume", "vehicle"):
        origin, destination, mode = network.lanes.codes[int(key[0])]
        day = int(network.lanes.ship_day[key[0], key[1]])
        return place | {"origin": origin, "destination": destination, "mode": mode, "date": _iso(network, day)}
    if law == "fill":
        return place | {"channel": network.channels[int(key[0])]}
    site = network.sites.codes[int(key[0])]
    if law == "admission":
        return place | {
            "site": site,
            "channel": network.channels[int(key[1])],
            "date": _iso(network, int(days[key[2]])),
        }
    return place | {"site": site, "date": _iso(network, int(days[key[1]]))}


def _iso(network: Network, day: int) -> str:
    return str(network.calendar.date(np.array([day]))[0])


def stock_values(network: Network, program: Program, row_dual: FloatArray) -> tuple[IntArray, FloatArray]:
    """Keys and values of ``Marginals``, from the duals of the program's rows.

    The value is the dual of the site's stock balance in the class it is served from (the cheapest such class). Duals of several
    outlooks, each with its weight in the cost, add up to the mean value.
    """
    law = LAW_NAMES.index("balance")
    mine = np.flatnonzero(program.row_law == law)
    _, sites, buckets = network.size
    size_of = np.array([len(row) for row in program.classes.expiry], dtype=np.int64)
    item = program.row_item[mine]
    place = program.row_place[mine]
    worth = -row_dual[mine]
    if (program.columns.outlook > 0).any():
        stride = np.int64(place.max(initial=0)) + 1
        known, back = np.unique(item * stride + place, return_inverse=True)
        worth = np.bincount(back, weights=worth, minlength=len(known)).astype(np.float64)
        item, place = known // stride, known % stride
    worth = np.maximum(worth, 0.0)
    size = size_of[item]
    site, rest = place // (size * buckets), place % (size * buckets)
    bucket = rest % buckets
    keys = (item * np.int64(sites) + site) * buckets + bucket
    # classes long expired or absent have no row or a zero price: the least positive one is the margin
    order = np.lexsort((worth, keys))
    order = order[worth[order] > 0]
    found, first = np.unique(keys[order], return_index=True)
    return found.astype(np.int64), worth[order[first]]
