"""A closer look: every site and item in a row, and why the places where most is at stake got what they got."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.measure import Days
from allocator.measure.days import Floats
from allocator.report.coded import groups, largest, ranks, slices
from allocator.report.grid import Column, Grid, grid

if TYPE_CHECKING:
    from allocator.explain import Explanation
    from allocator.tables import Tables

TOP_ROWS = 200
TOP_STORIES = 24
"""Explanations that go into the page: some 3 KB each."""

Plan = Mapping[str, pd.DataFrame]
Explain = Callable[[Plan, Sequence[tuple[str, str]]], list["Explanation"]]
"""Explains (item, site) pairs from the rows of a plan that are about their items."""


@dataclass(frozen=True)
class Story:
    """An explanation on the page: its anchor, title, verdict, and headings with their lines."""

    anchor: str
    item: str
    site: str
    title: str
    verdict: str
    parts: list[tuple[str, list[str]]]
    asked: bool


@dataclass(frozen=True)
class _Totals:
    """Figures by item and by site."""

    items: dict[str, Floats]
    sites: dict[str, Floats]


def totals(plan: Plan, days: Days, items: pd.Index[str], sites: pd.Index[str]) -> _Totals:
    """Add the plan's tables up by item and by site, a slice of the rows at a time. [units, currency]"""
    of_item: dict[str, Floats] = {}
    of_site: dict[str, Floats] = {}

    def add(into: dict[str, Floats], name: str, codes: pd.Index[str], column: pd.Series, amounts: Floats) -> None:
        """Add amounts up by code."""
        place = ranks(column, codes)
        keep = place >= 0
        total = into.setdefault(name, np.zeros(len(codes)))
        total += np.bincount(place[keep], weights=amounts[keep], minlength=len(codes))

    for part in slices(plan["admissions"]):
        served = part["quantity"].to_numpy(float)
        add(of_item, "served", items, part["item"], served)
        add(of_site, "served", sites, part["site"], served)
    for part in slices(plan["unmet"]):
        units, cost = part["quantity"].to_numpy(float), part["cost"].to_numpy(float)
        add(of_item, "unmet", items, part["item"], units)
        add(of_item, "unmet_cost", items, part["item"], cost)
    for part in slices(plan["shipments"]):
        units = part["quantity"].to_numpy(float)
        add(of_item, "shipped", items, part["item"], units)
        add(of_site, "sent", sites, part["origin"], units)
        add(of_site, "received", sites, part["destination"], units)
    for part in slices(plan["projections"]):
        waste, stock = part["waste"].to_numpy(float), part["stock"].to_numpy(float)
        end = np.where(days.buckets_of(part["date"]) == days.count - 1, stock, 0.0)
        for into, codes, column in ((of_item, items, part["item"]), (of_site, sites, part["site"])):
            add(into, "end", codes, column, end)
            add(into, "waste", codes, column, waste)
    for part in slices(plan["exceptions"]):
        cost = part["cost"].to_numpy(float)
        add(of_item, "penalty", items, part["item"], cost)
        add(of_site, "penalty", sites, part["where"], cost)
    return _Totals(of_item, of_site)


def names(tables: Tables) -> dict[str, str]:
    """Give the items' descriptions, where they have one."""
    table = tables["items"].select(["item", "description"]).to_pydict()
    return {item: text for item, text in zip(table["item"], table["description"], strict=True) if text}


def rows_by(
    tables: Tables, plan: Plan, kpis: pd.DataFrame, days: Days, currency: str, stories: Sequence[Story]
) -> tuple[Grid, Grid]:
    """List items and sites, each with its figures, those where most is at stake first."""
    about = names(tables)
    items = pd.Index(sorted(tables["items"]["item"].to_pylist()))
    sites = pd.Index(sorted(tables["sites"]["site"].to_pylist()))
    found = totals(plan, days, items, sites)
    first: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for story in stories:
        first[0].setdefault(story.item, f"#{story.anchor}")
        first[1].setdefault(story.site, f"#{story.anchor}")
    frame = _frame("item", items, found.items, ["served", "unmet", "shipped", "end", "waste", "unmet_cost", "penalty"])
    frame["stake"] = frame["unmet_cost"] + frame["penalty"]
    columns = [
        *(Column("item", "Item", notes=about, links=first[0]), Column("served", "Served, units", "count")),
        *(Column("unmet", "Unmet, units", "count"), Column("unmet_cost", f"Unmet, {currency}", "money")),
        *(Column("penalty", f"Penalties, {currency}", "money"), Column("shipped", "Shipped, units", "count")),
        *(Column("end", "Stock at the end, units", "count"), Column("waste", "Waste, units", "count")),
    ]
    top = largest(frame, "stake", ["item"], TOP_ROWS)
    by_item = grid("items", "Items", top, columns, TOP_ROWS, "dearest", len(frame))
    return by_item, _sites(tables, kpis, sites, found.sites, currency, first[1])


def _sites(
    tables: Tables,
    kpis: pd.DataFrame,
    sites: pd.Index[str],
    found: Mapping[str, Floats],
    currency: str,
    links: Mapping[str, str],
) -> Grid:
    frame = _frame("site", sites, found, ["received", "sent", "served", "end", "waste", "penalty"])
    table = tables["sites"].select(["site", "kind"]).to_pydict()
    frame["kind"] = frame["site"].map(dict(zip(table["site"], table["kind"], strict=True)))
    for name in ("stockout_rate", "cycle_service_level"):
        mine = kpis[(kpis["kpi"] == name) & kpis["scope"].str.startswith("site:")]
        values = dict(zip(mine["scope"].str.removeprefix("site:"), mine["value"].astype(float), strict=True))
        frame[name] = frame["site"].map(values).astype(float)
    columns = [
        *(Column("site", "Site", links=links), Column("kind", "Kind"), Column("received", "Received, units", "count")),
        *(Column("sent", "Sent on, units", "count"), Column("served", "Served, units", "count")),
        *(Column("stockout_rate", "Stockouts", "share"), Column("cycle_service_level", "Cycle service", "share")),
        *(Column("end", "Stock at the end, units", "count"), Column("waste", "Waste, units", "count")),
        Column("penalty", f"Penalties, {currency}", "money"),
    ]
    top = largest(frame, "penalty", ["site"], TOP_ROWS)
    return grid("sites", "Sites", top, columns, TOP_ROWS, "dearest", len(frame))


def _frame(key: str, codes: pd.Index[str], found: Mapping[str, Floats], figures: Sequence[str]) -> pd.DataFrame:
    none = np.zeros(len(codes))
    return pd.DataFrame({key: codes, **{name: found.get(name, none) for name in figures}})


def at_stake(tables: Tables, plan: Plan, top: int = TOP_STORIES) -> list[tuple[str, str]]:
    """Pick the (item, site) pairs with the largest unmet cost and penalties, then those that were shipped most.

    Unmet demand counts at the zone's own site, else at the first site that may serve the zone.
    """
    arcs = tables["fulfilment"].select(["site", "channel", "zone"]).to_pydict()
    serving: dict[tuple[str, str], str] = {}
    for site, channel, zone in sorted(zip(arcs["site"], arcs["channel"], arcs["zone"], strict=True)):
        if site == zone or (channel, zone) not in serving:
            serving[channel, zone] = site
    sites = set(tables["sites"]["site"].to_pylist())
    unmet = _summed(plan["unmet"], ["item", "channel", "zone"], "cost", 4 * top)
    gave = _summed(plan["exceptions"], ["item", "where"], "cost", 4 * top)
    stake: dict[tuple[str, str], float] = {}
    for item, channel, zone, cost in unmet:
        if (channel, zone) in serving:
            pair = (item, serving[channel, zone])
            stake[pair] = stake.get(pair, 0.0) + cost
    for item, where, cost in gave:
        if item and where in sites:
            stake[item, where] = stake.get((item, where), 0.0) + cost
    chosen = sorted(stake, key=lambda pair: (-stake[pair], pair))[:top]
    if len(chosen) < top:
        more = _summed(plan["shipments"], ["item", "destination"], "quantity", 2 * top)
        chosen += [pair for item, site, _ in more if (pair := (item, site)) not in stake][: top - len(chosen)]
    return chosen


def _summed(frame: pd.DataFrame, keys: list[str], figure: str, top: int) -> list[tuple[Any, ...]]:
    """Sum a figure by some columns and give the largest sums as rows."""
    where, found = groups(frame, keys)
    found[figure] = np.bincount(where, weights=frame[figure].to_numpy(float), minlength=len(found)).astype(float)
    return list(largest(found, figure, keys, top).itertuples(index=False, name=None))


def stories(
    plan: Plan, pairs: Sequence[tuple[str, str]], explain: Explain, asked: Sequence[Explanation]
) -> list[Story]:
    """Explain the pairs for the page; explanations with an answer to another quantity that were made before come first."""
    items = pd.Index(sorted({item for item, _ in pairs}))
    mine = {name: _only(frame, items) for name, frame in plan.items() if "item" in frame.columns}
    told = [*asked, *explain(mine, [pair for pair in pairs if pair not in {(one.item, one.site) for one in asked}])]
    return [
        Story(
            anchor=f"why-{number}",
            item=one.item,
            site=one.site,
            title=f"{one.item} at {one.site}" + (f" · {one.description}" if one.description else ""),
            verdict=one.verdict(),
            parts=[(heading, lines) for heading, lines in one.sections() if lines],
            asked=one.instead is not None,
        )
        for number, one in enumerate(told, start=1)
    ]


def _only(frame: pd.DataFrame, items: pd.Index[str]) -> pd.DataFrame:
    """The rows of some items, and those of no item at all."""
    parts = [part[_about(part["item"], items)] for part in slices(frame)]
    return pd.concat(parts, ignore_index=True) if parts else frame


def _about(column: pd.Series, items: pd.Index[str]) -> NDArray[np.bool_]:
    none = column.isna().to_numpy()
    return np.asarray((ranks(column, items) >= 0) | none)
