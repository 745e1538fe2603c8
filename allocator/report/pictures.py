"""What the drawings show: flows on the map, the split by method, stock over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup

from allocator.measure import Days
from allocator.measure.days import per_bucket
from allocator.report import network_map, words
from allocator.report.charts import Series, Span, area, stacked_bar
from allocator.report.coded import ranks, slices, sums

if TYPE_CHECKING:
    from allocator.tables import Tables

METHODS = ("push", "pull", "jit", "rebalance")
KIND_NAMES = {"supplier": "Suppliers", "plant": "Plants", "dc": "Distribution centres", "store": "Stores"}
TOP_SPLIT = 24
TOP_STOCK = 5

Plan = Mapping[str, pd.DataFrame]


def span_of(days: Days) -> Span:
    """Give the time axis of the plan."""
    return Span(days.dates(), [int(length) for length in days.length])


def maps(tables: Tables, plan: Plan, kpis: pd.DataFrame) -> tuple[Markup, Markup, str]:
    """Draw the network wide and narrow, and say what is left out."""
    sites = tables.frame("sites")[["site", "kind", "latitude", "longitude"]]
    rates = kpis[(kpis["kpi"] == "stockout_rate") & kpis["scope"].str.startswith("site:")]
    rate = pd.Series(rates["value"].to_numpy(float), index=rates["scope"].str.removeprefix("site:"))
    sites = sites.assign(stockout=sites["site"].map(rate).astype(float))
    legs = sums(plan["shipments"], ["origin", "destination", "method"], ["quantity"])
    legs = legs.sort_values(["quantity", "method"], ascending=[False, True], kind="stable")
    ends = legs.groupby(["origin", "destination"], as_index=False, observed=True).agg(
        quantity=("quantity", "sum"), method=("method", "first")
    )
    flows = ends.sort_values(["quantity", "origin", "destination"], ascending=[False, True, True], ignore_index=True)
    wide, said = network_map.draw(sites, flows, 1060.0, 560.0)
    narrow, _ = network_map.draw(sites, flows, 380.0, 420.0)
    return wide, narrow, said


def methods(plan: Plan) -> tuple[list[tuple[str, Markup, str, str]], int, str]:
    """Split what each site receives by method.

    Returns
    -------
    tuple
        Rows of site, bar, units received and most held back there for pull; the number of sites there are; a sentence.
    """
    shipments, reserves = plan["shipments"], plan["reserves"]
    legs = sums(shipments, ["destination", "method"], ["quantity"])
    split = legs.pivot_table(index="destination", columns="method", values="quantity", aggfunc="sum", fill_value=0.0)
    split = split.reindex(columns=list(METHODS), fill_value=0.0).astype(float)
    kept_back = sums(reserves, ["site", "date"], ["quantity"])
    held = kept_back.groupby("site", observed=True)["quantity"].max()
    split = split.reindex(sorted({*split.index, *held.index}), fill_value=0.0)
    total = split.sum(axis=1)
    order = total.sort_values(ascending=False, kind="stable").index
    received = {str(site): float(units) for site, units in total.items()}
    rows = []
    for site in order[:TOP_SPLIT]:
        amounts = [(name, name, float(split[name].loc[site])) for name in METHODS]
        kept = words.amount(float(held[site])) if site in held.index else ""
        rows.append(
            (
                str(site),
                stacked_bar(amounts, float(received[str(site)]), "units"),
                words.number(float(received[str(site)])),
                kept,
            )
        )
    whole = split.sum()
    shares = [f"{words.share(whole[name] / whole.sum(), 0)} {name}" for name in METHODS if whole[name] > 0]
    return (
        rows,
        len(split),
        f"Of {words.number(float(whole.sum()))} units shipped: {', '.join(shares)}."
        if shares
        else "Nothing is shipped.",
    )


def stock(tables: Tables, plan: Plan, days: Days) -> tuple[list[Markup], str]:
    """Draw closing stock at cost over time: by kind of site, and for the sites that hold most; waste in front."""
    currency = tables.settings.currency
    cost = tables.frame("items").set_index("item")["unit_cost"].astype(float)
    unit = currency if (cost > 0).any() else "units"
    by_site = stock_by_site(tables, plan, days, cost if unit == currency else cost * 0.0 + 1.0)
    kind = tables.frame("sites").set_index("site")["kind"]
    charts = [
        level(KIND_NAMES.get(str(name), str(name)), by_site[by_site["site"].map(kind) == name], unit, days)
        for name in network_map.KINDS
        if (by_site["site"].map(kind) == name).any()
    ]
    inner = by_site[by_site["site"].map(kind) != "supplier"]
    largest = (
        inner.groupby("site", observed=True)["stock"]
        .mean()
        .sort_values(ascending=False, kind="stable")
        .head(TOP_STOCK)
        .index
    )
    charts += [level(str(site), by_site[by_site["site"] == site], unit, days) for site in largest]
    end = by_site["bucket"] == days.count - 1
    said = f"{words.money(float(by_site.loc[end, 'stock'].sum()), unit)} of stock is left at the end"
    waste = float(by_site["waste"].sum())
    said += f"; {words.money(waste, unit)} expires before." if waste > 0 else "; nothing expires before."
    return charts, said


def stock_by_site(tables: Tables, plan: Plan, days: Days, worth: pd.Series) -> pd.DataFrame:
    """Sum closing stock and waste by site and bucket, each unit at its item's worth."""
    sites, items = pd.Index(sorted(tables["sites"]["site"].to_pylist())), pd.Index(worth.index)
    each, shape = worth.to_numpy(float), (len(sites), days.count)
    grids = {name: np.zeros(shape) for name in ("stock", "waste")}
    for part in slices(plan["projections"]):
        rows, buckets = ranks(part["site"], sites), days.buckets_of(part["date"])
        price = each[ranks(part["item"], items)]
        for name, grid in grids.items():
            grid += per_bucket(rows, buckets, part[name].to_numpy(float) * price, shape)
    row, bucket = np.divmod(np.arange(len(sites) * days.count), max(days.count, 1))
    frame = pd.DataFrame({"site": sites.to_numpy(dtype=object)[row], "bucket": bucket})
    return frame.assign(**{name: grid.ravel() for name, grid in grids.items()})


def level(title: str, frame: pd.DataFrame, unit: str, days: Days) -> Markup:
    """Draw the closing stock of some sites and items together over time, and what expires."""
    daily = frame.groupby("bucket", observed=True)[["stock", "waste"]].sum().reindex(range(days.count), fill_value=0.0)
    marks = Series("expires", "bad", daily["waste"].tolist())
    return area(title, unit, span_of(days), Series("closing stock", "level", daily["stock"].tolist()), marks)
