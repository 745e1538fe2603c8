"""A closer look at a plan: all of one item, all of one site, one item at one site; drawn as the report draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pandas as pd
from markupsafe import Markup

from allocator.measure import Days
from allocator.measure.days import dated
from allocator.plan.plan import Plan
from allocator.report import closer, lists, pictures, words
from allocator.report.answer import proof
from allocator.report.coded import sums
from allocator.report.grid import Column, Grid, grid

TOP_ROWS = 200
TOP_CHARTS = 9
Frames = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Look:
    """What a closer look shows.

    Attributes
    ----------
    title, note : str
    balance : Grid
        Site by site (or item by item): what came, went, was served, is left.
    charts : sequence of Markup
        Closing stock over time.
    methods : list
        What comes by which method: site, bar, units, held back.
    unmet : Grid
    shipments : Grid
    """

    title: str
    note: str
    balance: Grid
    charts: Sequence[Markup]
    methods: Sequence[tuple[str, Markup, str, str]]
    unmet: Grid
    shipments: Grid


class Addresses(dict[str, str]):
    """Gives every code the address of its page, made when asked for."""

    def __init__(self, page: str, field: str, **fixed: str) -> None:
        super().__init__()
        self.page, self.field, self.fixed = page, field, fixed

    def get(self, key: str, default: Any = "") -> Any:
        """Give the address of a code; a blank one has none."""
        return f"{self.page}?{urlencode(self.fixed | {self.field: key})}" if key else default


def overview(plan: Plan, name: str) -> dict[str, Any]:
    """Work out a plan's own page: items and sites with what is at stake, and what gave."""
    tables, days, currency = plan.network, Days.of(plan.network), plan.network.settings.currency
    frames = _dated(plan.tables)
    items, sites = closer.rows_by(tables, frames, frames["kpis"], days, currency, [])
    return {
        "currency": currency,
        "value": words.figure(float(plan.certificate["value"])),
        "proof": proof(plan.certificate, currency),
        "items": linked(items, 0, Addresses("/item", "item", plan=name)),
        "sites": linked(sites, 0, Addresses("/site", "site", plan=name)),
        "exceptions": lists.mends(frames["exceptions"], currency, closer.names(tables)),
    }


def linked(table: Grid, column: int, to: Mapping[str, str]) -> Grid:
    """Give the cells of a column the addresses of what they name."""
    rows = []
    for row in table.rows:
        cell = row[column]
        code = cell.key if cell.key is not None else cell.words
        rows.append([*row[:column], type(cell)(cell.words, cell.key, cell.note, to.get(code, "")), *row[column + 1 :]])
    return Grid(table.name, table.caption, table.columns, rows)


def of_item(plan: Plan, name: str, item: str) -> Look:
    """Look at all sites of one item."""
    frames = _cut(plan.tables, lambda frame: _is(frame, "item", item))
    title = f"{item}" + (f" · {about}" if (about := closer.names(plan.network).get(item)) else "")
    places = Addresses("/place", "site", plan=name, item=item)
    return _look(plan, frames, title, "site", places, Addresses("/item", "item", plan=name))


def of_site(plan: Plan, name: str, site: str) -> Look:
    """Look at all items of one site."""
    frames = _cut(plan.tables, lambda frame: _at(plan, frame, site))
    places = Addresses("/place", "item", plan=name, site=site)
    return _look(plan, frames, site, "item", places, places, site)


def of_place(plan: Plan, name: str, item: str, site: str) -> Look:
    """Look at one item at one site."""
    frames = _cut(plan.tables, lambda frame: _is(frame, "item", item) & _at(plan, frame, site))
    about = closer.names(plan.network).get(item)
    title = f"{item} at {site}" + (f" · {about}" if about else "")
    places = Addresses("/item", "item", plan=name)
    return _look(plan, frames, title, "item", places, places, site)


def _look(
    plan: Plan,
    frames: Frames,
    title: str,
    by: str,
    places: Mapping[str, str],
    items: Mapping[str, str],
    site: str | None = None,
) -> Look:
    tables, days, currency = plan.network, Days.of(plan.network), plan.network.settings.currency
    about = closer.names(tables)
    shipments = frames["shipments"]
    inwards = shipments if site is None else shipments[_is(shipments, "destination", site)]
    split, _, said = pictures.methods({"shipments": inwards, "reserves": frames["reserves"]})
    _, unmet, unmet_words = lists.unmet(frames["unmet"], currency, about)
    kind = dict(zip(tables["sites"]["site"].to_pylist(), tables["sites"]["kind"].to_pylist(), strict=True))
    note = f"A {kind[site]}. " if site is not None else ""
    return Look(
        title=title,
        note=f"{note}{said} {unmet_words}",
        balance=_balance(frames, by, days, places, about, site),
        charts=_charts(plan, frames, days, by, site),
        methods=split,
        unmet=linked(unmet, 0, items),
        shipments=_shipments(shipments, about, {by: places}),
    )


def _balance(
    frames: Frames, by: str, days: Days, places: Mapping[str, str], about: Mapping[str, str], site: str | None
) -> Grid:
    """Add up by site or item what came, went, was served and is left. [units]"""
    shipments, projections = frames["shipments"], frames["projections"]
    came = shipments if site is None else shipments[_is(shipments, "destination", site)]
    went = shipments if site is None else shipments[_is(shipments, "origin", site)]
    last = projections[days.buckets_of(projections["date"]) == days.count - 1]
    parts = {
        "received": (came, "destination" if by == "site" else "item", "quantity"),
        "sent": (went, "origin" if by == "site" else "item", "quantity"),
        "served": (frames["admissions"], by, "quantity"),
        "end": (last, by, "stock"),
        "waste": (projections, by, "waste"),
    }
    columns = {
        name: sums(frame, [key], [figure]).set_index(key)[figure].astype(float)
        for name, (frame, key, figure) in parts.items()
    }
    frame = pd.DataFrame(columns).fillna(0.0).rename_axis(by).reset_index()
    frame = frame.sort_values(["received", "served", by], ascending=[False, False, True], kind="stable")
    shown = [
        Column(by, by.capitalize(), notes=about if by == "item" else {}, links=places),
        *(Column("received", "Received, units", "count"), Column("sent", "Sent on, units", "count")),
        *(Column("served", "Served, units", "count"), Column("end", "Stock at the end, units", "count")),
        Column("waste", "Waste, units", "count"),
    ]
    return grid("balance", f"{by.capitalize()}s", frame, shown, TOP_ROWS, "most received")


def _charts(plan: Plan, frames: Frames, days: Days, by: str, site: str | None) -> list[Markup]:
    """Draw closing stock: of an item at the sites that hold most of it, of a site altogether."""
    items = plan.network["items"]["item"].to_pylist()
    by_site = pictures.stock_by_site(plan.network, frames, days, pd.Series(1.0, index=pd.Index(items)))
    if site is not None:
        return [pictures.level(site, by_site[by_site["site"] == site], "units", days)]
    mean = by_site.groupby("site", observed=True)["stock"].mean().sort_values(ascending=False, kind="stable")
    most = mean[mean > 0].head(TOP_CHARTS).index
    return [pictures.level(str(one), by_site[by_site["site"] == one], "units", days) for one in most]


def _shipments(frame: pd.DataFrame, about: Mapping[str, str], to: Mapping[str, Mapping[str, str]]) -> Grid:
    order = ["ship_date", "origin", "destination", "item", "mode"]
    top = frame.sort_values(order, kind="stable").head(TOP_ROWS)
    top = top.assign(now=top["committed"].astype(bool).map({True: "committed", False: "foreseen"}))
    columns = [
        *(Column("item", "Item", notes=about, links=to.get("item", {})), Column("origin", "From")),
        Column("destination", "To", links=to.get("site", {})),
        *(Column("mode", "Mode"), Column("ship_date", "Ships", "date"), Column("arrive_date", "Arrives", "date")),
        *(Column("quantity", "Units", "count"), Column("method", "Method"), Column("now", "Stands")),
    ]
    return grid("shipments", "Shipments", top, columns, TOP_ROWS, "earliest", len(frame))


def _dated(tables: Frames) -> dict[str, pd.DataFrame]:
    names = ("shipments", "reserves", "admissions", "projections", "unmet", "exceptions", "kpis")
    return dated({name: tables[name] for name in names})


def _cut(tables: Frames, mine: Callable[[pd.DataFrame], pd.Series]) -> dict[str, pd.DataFrame]:
    """Keep the rows that a closer look is about."""
    names = ("shipments", "reserves", "admissions", "projections", "unmet")
    return dated({name: tables[name][mine(tables[name])] for name in names})


def _is(frame: pd.DataFrame, column: str, code: str) -> pd.Series:
    return frame[column].astype(str) == code


def _at(plan: Plan, frame: pd.DataFrame, site: str) -> pd.Series:
    """Rows at a site: where it stands, where it sends from or receives, and demand that it may serve."""
    if "origin" in frame:
        return _is(frame, "origin", site) | _is(frame, "destination", site)
    if "site" in frame:
        return _is(frame, "site", site)
    arcs = plan.network.frame("fulfilment")
    served = arcs.loc[arcs["site"] == site, ["channel", "zone"]].astype(str)
    pairs = pd.MultiIndex.from_frame(served)
    found = pd.MultiIndex.from_frame(frame[["channel", "zone"]].astype(str)).isin(pairs)
    return pd.Series(found, index=frame.index)
