"""What the tables show: capacities and their prices, unmet demand, lots, exceptions, shipments, rows set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from allocator.measure import Days
from allocator.measure.rows import records, rows_of
from allocator.report import words
from allocator.report.charts import bar
from allocator.report.coded import groups, largest, sums
from allocator.report.grid import Column, Grid, grid

TOP_ROWS = 200
TOP_CAPACITIES = 24
TIGHT = 0.999
PLACE = ["resource", "site", "origin", "destination", "mode"]


@dataclass(frozen=True)
class Heat:
    """One capacity over the horizon: its name, and a (level, words, tooltip, priced) cell for each bucket."""

    name: str
    cells: list[tuple[str, str, str, bool]]


def _priced(prices: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """Prices by resource and place, then by day."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for price in prices:
        if not words.is_missing(price.get("date")) and float(price["price"]) > 0:
            days = found.setdefault((str(price["resource"]), words.place(price)), {})
            days[str(price["date"])[:10]] = float(price["price"])
    return found


def heat(use: pd.DataFrame, prices: Sequence[Mapping[str, Any]], days: Days, currency: str) -> tuple[list[Heat], int]:
    """Lay out the tightest capacities day by day; also say how many there are."""
    if use.empty:
        return [], 0
    priced = _priced(prices)
    share = (use["use"] / use["limit"]).where(use["limit"] > 0)
    use = use.assign(
        share=share.fillna(0.0), bucket=days.buckets_of(use["date"]), day=use["date"].dt.strftime("%Y-%m-%d")
    )
    keys = use[PLACE].astype(object).fillna("")
    groups = use.groupby([keys[column] for column in PLACE], sort=True)
    ranked = []
    for _, group in groups:
        first = records(group.head(1))[0]
        where = words.place(first)
        by_day = priced.get((str(first["resource"]), where), {})
        worth = sum(by_day.get(day, 0.0) for day in group["day"]) if by_day else 0.0
        ranked.append(
            (worth, float(group["share"].max()), f"{where}, {words.NAMES[str(first['resource'])]}", group, by_day)
        )
    ranked.sort(key=lambda row: (-row[0], -row[1], row[2]))
    empty = ("u0", "", "closed", False)
    shown = []
    for _, _, name, group, by_day in ranked[:TOP_CAPACITIES]:
        cells = {row.bucket: _cell(row, by_day.get(row.day, 0.0), currency) for row in rows_of(group)}
        shown.append(Heat(name, [cells.get(b, empty) for b in range(days.count)]))
    return shown, len(ranked)


def _cell(row: Any, price: float, currency: str) -> tuple[str, str, str, bool]:
    level = "u10" if row.share > 1.0005 else f"u{min(9, int(row.share * 10 + 1e-6))}"
    tip = f"{words.day(row.date)}: {words.number(row.use, 1)} of {words.number(row.limit, 1)} {row.unit}"
    if price > 0:
        tip += f", one more is worth {words.number(price, 2)} {currency}"
    if not row.limit > 0:
        return "u0", "", f"{words.day(row.date)}: closed", False
    return level, f"{100 * row.share:.0f}", tip, price > 0


def tight_prices(prices: Sequence[Mapping[str, Any]], currency: str) -> Grid:
    """List what one more unit of each tight resource is worth, dearest first."""
    rows = [
        {
            "what": words.NAMES.get(str(price["resource"]), str(price["resource"])),
            "place": words.place(price),
            "date": price.get("date"),
            "price": float(price["price"]),
            "unit": f"{currency} per {words.single(price.get('unit'))}",
            "use": price.get("use"),
            "limit": price.get("limit"),
        }
        for price in prices
        if float(price["price"]) > 0
    ]
    names = ["what", "place", "date", "price", "unit", "use", "limit"]
    frame = pd.DataFrame(rows, columns=names)
    frame = frame.assign(last=frame["what"] == "vehicles")
    order = ["last", "price", "what", "place", "date"]
    frame = frame.sort_values(order, ascending=[True, False, True, True, True], kind="stable")
    columns = [
        *(Column("what", "Resource"), Column("place", "Where"), Column("date", "Day", "date")),
        *(Column("price", "One more is worth", "money"), Column("unit", "Unit")),
        *(Column("use", "Used", "count"), Column("limit", "Limit", "count")),
    ]
    return grid("prices", "What one more of each tight resource is worth", frame, columns, TOP_ROWS, "dearest")


def unmet(
    frame: pd.DataFrame, currency: str, about: Mapping[str, str]
) -> tuple[list[tuple[str, Markup, str, str]], Grid, str]:
    """Sum unmet demand by reason, list it by item, channel and zone, and say the main reason."""
    by_reason = sums(frame, ["reason", "status"], ["quantity", "cost"])
    by_reason = by_reason.assign(reason=by_reason["reason"].map(words.reason))
    by_reason = by_reason.sort_values(["quantity", "reason"], ascending=[False, True], kind="stable")
    most = float(by_reason["quantity"].max()) if len(by_reason) else 0.0
    bars = [
        (
            row.reason + (" (still waiting)" if row.status == "waiting" else ""),
            bar(
                [(0.0, row.quantity / most if most > 0 else 0.0, "waiting" if row.status == "waiting" else "lost", "")]
            ),
            words.amount(row.quantity),
            words.number(row.cost),
        )
        for row in rows_of(by_reason)
    ]
    columns = [
        *(Column("item", "Item", notes=about), Column("channel", "Channel"), Column("zone", "Zone")),
        *(Column("status", "Status"), Column("reason", "Reason")),
        *(Column("first", "First day", "date"), Column("days", "Days", "count")),
        *(Column("quantity", "Units", "count"), Column("cost", f"Cost, {currency}", "money")),
    ]
    dearest, count = _dearest_unmet(frame)
    title = "Unmet demand by item, channel, zone and reason"
    table = grid("unmet", title, dearest, columns, TOP_ROWS, "dearest", count)
    if frame.empty:
        return bars, table, "All demand of the horizon is served."
    top = by_reason.iloc[0]
    portion = words.share(float(top["quantity"]) / float(frame["quantity"].sum()), 0)
    return bars, table, f"{portion} of {words.amount(float(frame['quantity'].sum()))} units unmet: {top['reason']}."


def _dearest_unmet(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Sum unmet demand by item, channel, zone, reason and status; give the dearest sums and how many there are."""
    keys = ["item", "channel", "zone", "reason", "status"]
    where, found = groups(frame, keys)
    found = found.assign(
        **{
            name: np.bincount(where, weights=frame[name].to_numpy(float), minlength=len(found)).astype(float)
            for name in ("quantity", "cost")
        }
    )
    top = largest(found, "cost", keys, TOP_ROWS)
    order = ["cost", "quantity", *keys]
    top = top.sort_values(order, ascending=[False, False, *[True] * len(keys)], kind="stable")
    mine = np.isin(where, top.index)
    dates = pd.DataFrame({"at": where[mine], "date": frame["date"].to_numpy()[mine]})
    per = dates.groupby("at", observed=True)["date"].agg(["min", "nunique"]).reindex(top.index)
    return top.assign(first=per["min"], days=per["nunique"], reason=top["reason"].map(words.reason)), len(found)


def risky(lots: pd.DataFrame, currency: str, about: Mapping[str, str]) -> Grid:
    """List lots at risk, dearest first."""
    order = largest(lots, "value", ["lot", "item", "site"], TOP_ROWS)
    columns = [
        *(
            Column("lot", "Lot"),
            Column("item", "Item", notes=about),
            Column("site", "Site"),
            Column("expiry_date", "Expires", "date"),
        ),
        *(Column("wasted", "Expires in the plan, units", "count"), Column("left", "Left at the end, units", "count")),
        Column("value", f"Value, {currency}", "money"),
    ]
    return grid("lots", "Lots at risk of expiry", order, columns, TOP_ROWS, "dearest", len(lots))


def mends(frame: pd.DataFrame, currency: str, about: Mapping[str, str]) -> Grid:
    """List every exception with its mend, dearest first."""
    order = largest(frame, "cost", ["what", "where", "date"], TOP_ROWS)
    order = order.assign(what=order["what"].astype(str).str.replace("_", " "))
    columns = [
        *(Column("what", "Limit"), Column("item", "Item", notes=about)),
        *(Column("where", "Where"), Column("date", "Day", "date")),
        *(Column("amount", "By", "count"), Column("unit", "Unit"), Column("cost", f"Penalty, {currency}", "money")),
        Column("mend", "What would mend it"),
    ]
    return grid("exceptions", "Limits that had to give", order, columns, TOP_ROWS, "dearest", len(frame))


def shipments(frame: pd.DataFrame, about: Mapping[str, str]) -> Grid:
    """List committed shipments, largest first."""
    mine = frame[frame["committed"].astype(bool)]
    top = largest(mine, "quantity", ["ship_date", "origin", "destination", "item", "mode"], TOP_ROWS)
    columns = [
        *(Column("item", "Item", notes=about), Column("origin", "From")),
        *(Column("destination", "To"), Column("mode", "Mode")),
        *(Column("ship_date", "Ships", "date"), Column("arrive_date", "Arrives", "date")),
        *(Column("quantity", "Units", "count"), Column("packs", "Packs", "count"), Column("method", "Method")),
    ]
    return grid("shipments", "Committed shipments", top, columns, TOP_ROWS, "largest", len(mine))


def set_aside(rows: Sequence[Any]) -> Grid | None:
    """List quarantined input rows; a row may be a mapping or a sentence."""
    if not rows:
        return None
    frame = pd.DataFrame([dict(row) if isinstance(row, Mapping) else {"row": str(row)} for row in rows]).astype(object)
    columns = [Column(str(name), str(name).replace("_", " ").capitalize()) for name in frame.columns]
    return grid("quarantined", "Input rows set aside", frame, columns, TOP_ROWS)
