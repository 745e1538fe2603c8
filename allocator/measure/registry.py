"""Every KPI once: its name, unit, good direction, definition and the function that computes it.

A function takes the facts and a level (`network`, `channel`, `site`, `resource`) and returns a Series by scope. A ratio
whose denominator is 0 is NaN: undefined, not 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from allocator.measure.capacity import RESOURCES
from allocator.measure.facts import Facts

Better = Literal["up", "down", "neither"]
CHANNEL = ("network", "channel")
SITE = ("network", "site")


@dataclass(frozen=True)
class Kpi:
    """One key figure.

    Attributes
    ----------
    name, title : str
        The name in the `kpis` table, and the one a planner reads.
    unit : str
        `currency` stands for the network's own.
    better : str
        Which direction is good.
    levels : tuple of str
        The scopes it is given for.
    definition : str
        One sentence that settles what is counted.
    function : callable
        Computes it from the facts, for one level.
    """

    name: str
    title: str
    unit: str
    better: Better
    levels: tuple[str, ...]
    definition: str
    function: Callable[[Facts, str], pd.Series]


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above / below.where(below > 0)


def _one(amount: float) -> pd.Series:
    return pd.Series({"network": amount})


def _value(facts: Facts, level: str) -> pd.Series:
    return _one(-float(sum(facts.components.values())))


def _margin(facts: Facts, level: str) -> pd.Series:
    return _one(-float(facts.components.get("margin", 0.0)))


def _value_over_rules(facts: Facts, level: str) -> pd.Series:
    if facts.baseline is None or "value" not in facts.baseline:
        return pd.Series(dtype=float)
    return _value(facts, level) - float(facts.baseline["value"])


def _component(*names: str) -> Callable[[Facts, str], pd.Series]:
    return lambda facts, level: _one(float(sum(facts.components.get(name, 0.0) for name in names)))


def _met(what: str) -> Callable[[Facts, str], pd.Series]:
    return lambda facts, level: facts.met(what, level)


def _met_share(what: str) -> Callable[[Facts, str], pd.Series]:
    return lambda facts, level: _ratio(facts.met(what, level), facts.met("asked", level))


def _fill_rate(facts: Facts, level: str) -> pd.Series:
    return _ratio(facts.met("served", level) - facts.met("late", level), facts.met("asked", level))


def _at(what: str) -> Callable[[Facts, str], pd.Series]:
    return lambda facts, level: facts.at(what, level)


def _at_share(above: str, below: str) -> Callable[[Facts, str], pd.Series]:
    return lambda facts, level: _ratio(facts.at(above, level), facts.at(below, level))


def _turns(facts: Facts, level: str) -> pd.Series:
    return _ratio(facts.at("sold", level) * 365.0 / facts.days.horizon, facts.at("held", level))


def _cover(facts: Facts, level: str) -> pd.Series:
    return _ratio(facts.at("closing", level), _one(facts.daily_cost))


def _capacity_average(facts: Facts, level: str) -> pd.Series:
    sums = facts.capacity.groupby("resource")[["use", "limit"]].sum()
    return _ratio(sums["use"], sums["limit"]).reindex(_limited(facts)).add_prefix("resource:")


def _capacity_peak(facts: Facts, level: str) -> pd.Series:
    share = _ratio(facts.capacity["use"], facts.capacity["limit"])
    peaks = share.groupby(facts.capacity["resource"].to_numpy()).max()
    return peaks.reindex(_limited(facts)).add_prefix("resource:")


def _limited(facts: Facts) -> list[str]:
    stated = set(facts.capacity["resource"])
    return [resource for resource in RESOURCES if resource in stated]


KPIS: tuple[Kpi, ...] = (
    Kpi(
        "value",
        "Value of the plan",
        "currency",
        "up",
        ("network",),
        "Minus the objective: margin earned less every other component (costs, and penalties for what gave).",
        _value,
    ),
    Kpi(
        "value_over_rules",
        "Value over the rules",
        "currency",
        "up",
        ("network",),
        "Value less the value of the rules engine's plan on the same input; absent without such a baseline.",
        _value_over_rules,
    ),
    Kpi(
        "margin",
        "Margin",
        "currency",
        "up",
        ("network",),
        "Sum over units served, late ones too, of the price table's margin.",
        _margin,
    ),
    Kpi(
        "fill_rate",
        "Fill rate",
        "share",
        "up",
        CHANNEL,
        "Units served in the bucket in which their demand falls, over all units asked for in the horizon.",
        _fill_rate,
    ),
    Kpi(
        "cycle_service_level",
        "Cycle service level",
        "share",
        "up",
        SITE,
        "Replenishment cycles without a stockout, over all cycles with demand; a cycle of an item at a site runs from "
        "the start, or from a bucket in which goods come in, to the next such bucket.",
        _at_share("kept", "cycles"),
    ),
    Kpi(
        "stockout_rate",
        "Stockout rate",
        "share",
        "down",
        SITE,
        "Item-site-days on which the site closes empty while demand that it may serve is lost or left waiting, over "
        "all item-site-days with such demand (items carried at the site).",
        _at_share("out", "wanted"),
    ),
    Kpi(
        "units_served",
        "Units served",
        "units",
        "up",
        CHANNEL,
        "Units admitted to any channel in the horizon, late ones too.",
        _met("served"),
    ),
    Kpi(
        "units_lost",
        "Units lost",
        "units",
        "down",
        CHANNEL,
        "Units asked for and given up in the horizon.",
        _met("lost"),
    ),
    Kpi(
        "units_waiting",
        "Units waiting",
        "units",
        "down",
        CHANNEL,
        "Units asked for that are neither served nor given up when the horizon ends.",
        _met("waiting"),
    ),
    Kpi(
        "late_units",
        "Late units",
        "units",
        "down",
        CHANNEL,
        "Units served in a later bucket than the one their demand falls in, oldest demand served first.",
        _met("late"),
    ),
    Kpi(
        "admitted_units",
        "Admitted",
        "units",
        "up",
        CHANNEL,
        "Units of a channel's demand that the plan serves at any time in the horizon.",
        _met("served"),
    ),
    Kpi(
        "admitted_share",
        "Admitted share",
        "share",
        "up",
        CHANNEL,
        "Admitted units over units asked for.",
        _met_share("served"),
    ),
    Kpi(
        "refused_units",
        "Refused",
        "units",
        "down",
        CHANNEL,
        "Units of a channel's demand that the plan gives up in the horizon; units still waiting are not refused.",
        _met("lost"),
    ),
    Kpi(
        "refused_share",
        "Refused share",
        "share",
        "down",
        CHANNEL,
        "Refused units over units asked for.",
        _met_share("lost"),
    ),
    Kpi(
        "units_shipped",
        "Units shipped",
        "units",
        "neither",
        SITE,
        "Units of all shipments between sites, each leg counted; for a site, those that leave it.",
        _at("shipped"),
    ),
    Kpi(
        "push_share",
        "Push share",
        "share",
        "neither",
        SITE,
        "Units shipped by push over units shipped by any method; for a site, of those shipped to it.",
        _at_share("pushed", "received"),
    ),
    Kpi(
        "inventory_turns",
        "Inventory turns",
        "per year",
        "up",
        SITE,
        "Cost of the units served, scaled to 365 days, over the mean value at cost of closing stock.",
        _turns,
    ),
    Kpi(
        "days_of_cover",
        "Days of cover",
        "days",
        "neither",
        ("network",),
        "Value at cost of the stock left at the end, over the mean daily value at cost of the units asked for.",
        _cover,
    ),
    Kpi("waste_units", "Waste", "units", "down", SITE, "Units that expire in the horizon.", _at("waste")),
    Kpi(
        "expired_value",
        "Expired value",
        "currency",
        "down",
        SITE,
        "Units that expire in the horizon, at unit cost.",
        _at("expired"),
    ),
    Kpi(
        "freight",
        "Freight",
        "currency",
        "down",
        ("network",),
        "Unit freight of all shipments plus the cost of started vehicles (components freight and vehicles).",
        _component("freight", "vehicles"),
    ),
    Kpi(
        "capacity_use",
        "Capacity use, average",
        "share",
        "neither",
        ("resource",),
        "Use summed over every limited site or lane and bucket, over the limits summed; resources: storage, inbound, "
        "outbound, outbound_units, lane_volume.",
        _capacity_average,
    ),
    Kpi(
        "capacity_peak",
        "Capacity use, peak",
        "share",
        "down",
        ("resource",),
        "The largest use over limit of any one site or lane in any bucket, by resource.",
        _capacity_peak,
    ),
)
