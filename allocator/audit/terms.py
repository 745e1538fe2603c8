"""What a lane asks of an item, and what a unit of an item is worth and costs to move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.audit.demand import Claims
from allocator.audit.facts import Facts
from allocator.audit.keys import Flags, Floats, Keys, Names, Tally, Whole, floats, pack, whole

CATEGORY = "category:"
METHODS = ("auto", "push", "pull", "jit")
_CHUNK = 4_000_000  # item x lane cells looked at together


@dataclass(frozen=True)
class Terms:
    """What a lane asks of an item, by row of what was asked about.

    Attributes
    ----------
    pack, minimum : (N,) float, [units]
        Pack size (0: any quantity) and smallest shipment.
    freight : (N,) float, [currency/unit]
        Unit freight.
    method : (N,) int
        Position in `METHODS`.
    open : (N,) bool
        Whether the lane is open to the item.
    """

    pack: Floats
    minimum: Floats
    freight: Floats
    method: Whole
    open: Flags


@dataclass(frozen=True)
class LaneRules:
    """The item_lanes table, its own rows and its category rows apart.

    Attributes
    ----------
    categories : Names
    category : (I,) int
        Category of each item.
    own, shared : Keys
        Row of the table by packed (item, lane) and (category, lane).
    columns : dict of str to (R,) float
        Values of the rows; NaN inherits.
    """

    categories: Names
    category: Whole
    own: Keys
    shared: Keys
    columns: dict[str, Floats]

    def inherited(self, facts: Facts, name: str, item: Whole, lane: Whole, base: Floats) -> Floats:
        """Give a column for each (item, lane): the item's own row, else its category's, else `base`."""
        value = base.astype(np.float64)
        shared = self.shared.find(pack((len(self.categories), len(facts.lanes)), self.category[item], lane))
        own = self.own.find(pack((len(facts.items), len(facts.lanes)), item, lane))
        for rows in (shared, own):
            found = np.flatnonzero(rows >= 0)
            stated = self.columns[name][rows[found]]
            given = ~np.isnan(stated)
            value[found[given]] = stated[given]
        return value


def read_lane_rules(facts: Facts) -> LaneRules:
    """Read item_lanes."""
    frame = facts.frame("item_lanes")
    items = facts.frame("items").set_index("item").reindex(facts.items.codes)
    categories = Names.of(items["category"])
    target = frame["item"].astype(str)
    is_category = np.asarray(target.str.startswith(CATEGORY), dtype=bool)
    item = np.where(is_category, -1, facts.items.find(target))
    category = np.where(is_category, categories.find(target.str.removeprefix(CATEGORY)), -1)
    ends = [facts.sites.find(frame["origin"]), facts.sites.find(frame["destination"]), facts.modes.find(frame["mode"])]
    lane = facts.lane_of(*ends)
    columns = {name: floats(frame[name]) for name in ("pack_size", "min_quantity", "cost_per_unit")}
    columns["allowed"] = floats(frame["allowed"].astype("boolean").astype("Float64"))
    columns["method"] = _methods(frame["method"])
    return LaneRules(
        categories=categories,
        category=categories.find(items["category"]),
        own=Keys.of(pack((len(facts.items), len(facts.lanes)), item, lane)),
        shared=Keys.of(pack((len(categories), len(facts.lanes)), category, lane)),
        columns=columns,
    )


def _methods(column: pd.Series[Any]) -> Floats:
    return floats(column.astype(object).map({word: float(place) for place, word in enumerate(METHODS)}).astype(float))


def terms(facts: Facts, rules: LaneRules, item: Whole, lane: Whole) -> Terms:
    """Resolve what each lane asks of each item.

    Parameters
    ----------
    facts : Facts
    rules : LaneRules
    item, lane : (N,) int
        Pairs asked about.
    """
    quantum = facts.quantum[item]
    base = facts.lanes
    freight = rules.inherited(facts, "cost_per_unit", item, lane, floats(base["cost_per_unit"])[lane])
    return Terms(
        pack=np.maximum(rules.inherited(facts, "pack_size", item, lane, quantum), quantum),
        minimum=rules.inherited(facts, "min_quantity", item, lane, np.zeros(len(item))),
        freight=freight + floats(base["cost_per_m3"])[lane] * facts.unit_volume[item],
        method=whole(rules.inherited(facts, "method", item, lane, _methods(base["method"])[lane])),
        open=rules.inherited(facts, "allowed", item, lane, np.ones(len(item))) > 0,
    )


@dataclass(frozen=True)
class Worth:
    """What units are worth, and the prices of limits that gave (docs/semantics.md, "The objective").

    Of a network looked at by runs of items, figures by item are right for the run's own, and the prices of limits that
    items share are the largest of all runs' prices.

    Attributes
    ----------
    unit : (I,) float, [currency/unit]
        v: the most a unit can earn or avoid.
    total : (I,) float, [currency/unit]
        v + f: f is the most a unit can cost to move.
    volume : float, [currency/m3]
        Price of storage and inbound excess.
    fill : float, [currency/unit]
        Price of a unit short of a minimum fill rate.
    """

    unit: Floats
    total: Floats
    volume: float
    fill: float


def read_worth(facts: Facts, rules: LaneRules, claims: Claims) -> Worth:
    """Work out v and f of every item."""
    unit = np.zeros(len(facts.items))
    prices = facts.frame("prices")
    listed = np.nan_to_num(floats(prices["margin"])) + np.nan_to_num(floats(prices["unmet_cost"]))
    np.maximum.at(unit, facts.items.find(prices["item"]), listed)
    asked = claims.demand.sum(axis=1) > 0
    np.maximum.at(unit, claims.item[asked], (claims.margin + claims.unmet_cost)[asked])
    unit = np.maximum(unit, facts.unit_cost)
    unit = np.where(unit > 0, unit, 1.0)
    vehicle = floats(facts.lanes["cost_per_shipment"])
    total = unit + _largest_freight(facts, rules) + (float(vehicle.max()) if len(vehicle) else 0.0)
    mine = slice(*facts.window)
    size, most = facts.unit_volume[mine], total[mine]
    sized = size > 0
    volume = 10.0 * float((most[sized] / size[sized]).max()) if sized.any() else 0.0
    return Worth(unit, total, volume, 10.0 * float(most.max()) if len(most) else 0.0)


def _largest_freight(facts: Facts, rules: LaneRules) -> Floats:
    """Give the largest unit freight of each item on any lane, (I,) [currency/unit]."""
    items, lanes = len(facts.items), len(facts.lanes)
    largest = np.zeros(items)
    if not lanes:
        return largest
    step = max(1, _CHUNK // lanes)
    begin, end = facts.window
    for first in range(begin, end, step):
        some = np.arange(first, min(first + step, end), dtype=np.int64)
        item, lane = np.repeat(some, lanes), np.tile(np.arange(lanes, dtype=np.int64), len(some))
        largest[some] = terms(facts, rules, item, lane).freight.reshape(len(some), lanes).max(axis=1)
    return np.maximum(largest, 0.0)


def premiums(facts: Facts, claims: Claims, worth: Worth) -> Floats:
    """Work out the priority premium of every claim, (K,) [currency/unit (and day)].

    From the largest priority number down, each level's claims are lifted above all later ones by 1 % of the item's
    worth and the spread of fulfilment costs; then firm claims stand a hair above the forecast of their own zone.
    """
    asked = claims.demand.sum(axis=1) > 0
    urgency = np.where(claims.backorder, claims.unmet_cost, claims.margin + claims.unmet_cost)
    spread = float(facts.handling.max() - facts.handling.min()) if len(facts.handling) else 0.0
    top = np.full(len(facts.items), -np.inf)
    premium = np.zeros(len(urgency))
    for level in np.unique(claims.priority[asked])[::-1]:
        rows = np.flatnonzero(asked & (claims.priority == level))
        item = claims.item[rows]
        floor = top[item] + 0.01 * worth.unit[item] + spread
        premium[rows] = np.maximum(0.0, floor - urgency[rows])
        np.maximum.at(top, item, urgency[rows] + premium[rows])
    sizes = (len(facts.items), len(facts.channels), len(facts.zones))
    point = pack(sizes, claims.item, claims.channel, claims.zone)
    plain = Tally.of(point[asked & ~claims.firm], np.ones(int((asked & ~claims.firm).sum())))
    hair = asked & claims.firm & (plain.at(point) > 0)
    return premium + np.where(hair, 1e-4 * worth.unit[claims.item], 0.0)
