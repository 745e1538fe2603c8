"""What the drawings show: flows on the map, the split by method, stock over time, service by channel, lots at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from allocator.measure import Days, Service
from allocator.report import network_map, words
from allocator.report.charts import Series, Span, area, columns, stacked_bar

if TYPE_CHECKING:
    from allocator.tables import Tables

METHODS = ("push", "pull", "jit", "rebalance")
KIND_NAMES = {"supplier": "Suppliers", "plant": "Plants", "dc": "Distribution centres", "store": "Stores"}
TOP_SPLIT = 24
TOP_STOCK = 5
TOP_CHANNELS = 6

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
    legs = plan["shipments"].groupby(["origin", "destination", "method"])["quantity"].sum().reset_index()
    legs = legs.sort_values(["quantity", "method"], ascending=[False, True], kind="stable")
    ends = legs.groupby(["origin", "destination"], as_index=False).agg(
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
    split = shipments.pivot_table(
        index="destination", columns="method", values="quantity", aggfunc="sum", fill_value=0.0
    )
    split = split.reindex(columns=list(METHODS), fill_value=0.0).astype(float)
    held = reserves.groupby(["site", "date"])["quantity"].sum().groupby("site").max()
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
    projections = plan["projections"]
    worth = projections["item"].map(cost).astype(float)
    unit = currency
    if not (cost > 0).any():
        worth, unit = pd.Series(1.0, index=projections.index), "units"
    frame = pd.DataFrame(
        {
            "site": projections["site"],
            "bucket": days.buckets_of(projections["date"]),
            "stock": projections["stock"] * worth,
            "waste": projections["waste"] * worth,
        }
    )
    by_site = frame.groupby(["site", "bucket"], as_index=False)[["stock", "waste"]].sum()
    kind = tables.frame("sites").set_index("site")["kind"]
    charts = [
        _level(KIND_NAMES.get(str(name), str(name)), by_site[by_site["site"].map(kind) == name], unit, days)
        for name in network_map.KINDS
        if (by_site["site"].map(kind) == name).any()
    ]
    inner = by_site[by_site["site"].map(kind) != "supplier"]
    largest = inner.groupby("site")["stock"].mean().sort_values(ascending=False, kind="stable").head(TOP_STOCK).index
    charts += [_level(str(site), by_site[by_site["site"] == site], unit, days) for site in largest]
    end = frame["bucket"] == days.count - 1
    said = f"{words.money(float(frame.loc[end, 'stock'].sum()), unit)} of stock is left at the end"
    waste = float(frame["waste"].sum())
    said += f"; {words.money(waste, unit)} expires before." if waste > 0 else "; nothing expires before."
    return charts, said


def _level(title: str, frame: pd.DataFrame, unit: str, days: Days) -> Markup:
    sums = frame.groupby("bucket")[["stock", "waste"]].sum().reindex(range(days.count), fill_value=0.0)
    marks = Series("expires", "bad", sums["waste"].tolist())
    return area(title, unit, span_of(days), Series("closing stock", "level", sums["stock"].tolist()), marks)


def service(done: Service, days: Days) -> tuple[list[tuple[str, Markup, str, str]], list[Markup], str]:
    """Show what became of each channel's demand, in total and day by day."""
    sums = done.by("channel")
    sums = sums.sort_values("asked", ascending=False, kind="stable")
    rows = []
    for channel, row in sums.iterrows():
        on_time = float(row["served"] - row["late"])
        amounts = [
            ("served on its day", "ontime", on_time),
            ("served late", "late", float(row["late"])),
            ("waiting at the end", "waiting", float(row["waiting"])),
            ("lost", "lost", float(row["lost"])),
        ]
        rate = on_time / float(row["asked"]) if row["asked"] > 0 else float("nan")
        asked = float(row["asked"])
        rows.append((str(channel), stacked_bar(amounts, asked, "units"), words.number(asked), words.share(rate)))
    charts = [_daily(str(channel), done, days) for channel in sums.index[:TOP_CHANNELS]]
    total = sums.sum()
    return rows, charts, _service_words(total)


def _service_words(total: pd.Series) -> str:
    asked = float(total["asked"])
    if not asked > 0:
        return "Nothing is asked for in the horizon."
    share = words.share(float(total["served"] - total["late"]) / asked)
    parts = [
        (float(total["late"]), "late"),
        (float(total["waiting"]), "still waiting at the end"),
        (float(total["lost"]), "lost"),
    ]
    rest = [f"{words.number(units)} {name}" for units, name in parts if units > 0]
    said = f"{share} of {words.number(asked)} units asked for is served on its day"
    return f"{said}; {', '.join(rest)}." if rest else f"{said}."


def _daily(channel: str, done: Service, days: Days) -> Markup:
    mine = (done.asked.claims["channel"] == channel).to_numpy()
    served, late, lost = (grid[mine].sum(axis=0) for grid in (done.served, done.late, done.lost))
    series = [
        Series("served on its day", "ontime", (served - late).tolist()),
        Series("served late", "late", late.tolist()),
        Series("lost", "lost", lost.tolist()),
    ]
    return columns(channel, "units", span_of(days), series)
