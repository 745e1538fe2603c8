"""Lots at risk of expiry: thrown away in the plan, or left at its end with little life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from allocator.measure import Days, incoming
from allocator.report import words
from allocator.report.charts import Series, Span, columns
from allocator.report.coded import sums

if TYPE_CHECKING:
    from allocator.tables import Tables

Plan = Mapping[str, pd.DataFrame]


def lots_left(tables: Tables, plan: Plan) -> pd.DataFrame:
    """Work out which lots are thrown away and which are left at the end of the horizon.

    Returns
    -------
    DataFrame
        Columns lot, item, site, expiry_date, wasted, left [units], value [currency]; lots that expire in the horizon or as
        many days after it, soonest first.
    """
    days = Days.of(tables)
    opening = tables.frame("lots")
    opening = opening[(opening["status"] == "available") & ~(days.numbers(opening["expiry_date"]) < 0)]
    opening = opening[~(days.numbers(opening["received_date"]) > 0)]
    moves = plan["lot_moves"]
    moves = moves[_soon(moves["expiry_date"], days)]
    keys = ["lot", "item", "site", "expiry_date", "quantity"]
    inside = moves[(moves["for"] == "shipment") & (days.buckets_of(moves["arrive_date"]) >= 0)]
    parts = [
        opening[keys],
        incoming(tables, days)[keys],
        inside.drop(columns=["from"]).rename(columns={"to": "site"})[keys],
        moves.rename(columns={"from": "site"}).assign(quantity=-moves["quantity"])[keys],
        moves[moves["for"] == "waste"].rename(columns={"from": "site"}).assign(wasted=1.0)[[*keys, "wasted"]],
    ]
    parts = [part[_soon(part["expiry_date"], days)] for part in parts]
    every = (
        pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else opening[keys]
    )
    thrown = every["wasted"].notna().to_numpy() if "wasted" in every else np.zeros(len(every), dtype=bool)
    every = every.assign(
        expiry_date=every["expiry_date"].to_numpy().astype("datetime64[s]"),
        wasted=np.where(thrown, every["quantity"], 0.0),
        quantity=np.where(thrown, 0.0, every["quantity"]),
    )
    lots = sums(every, ["lot", "item", "site", "expiry_date"], ["quantity", "wasted"])
    lots["expiry_date"] = pd.to_datetime(lots["expiry_date"]).astype("datetime64[s]")
    lots = lots.rename(columns={"quantity": "left"})
    lots["left"] = np.where(lots["left"] > 1e-6, lots["left"], 0.0)
    cost = tables.frame("items").set_index("item")["unit_cost"].astype(float)
    lots["value"] = (lots["left"] + lots["wasted"]) * lots["item"].map(cost).astype(float)
    lots = lots[(lots["left"] + lots["wasted"]) > 0]
    return lots.sort_values(
        ["expiry_date", "value", "lot", "item", "site"], ascending=[True, False, True, True, True], ignore_index=True
    )


def _soon(dates: pd.Series, days: Days) -> NDArray[np.bool_]:
    """Tell which dates lie in the horizon or as many days after it; only such lots are at risk."""
    numbers = days.numbers(dates)
    return np.asarray((numbers >= 0) & (numbers < 2 * days.horizon))


def at_risk(lots: pd.DataFrame, days: Days, currency: str) -> tuple[pd.DataFrame, Markup | None, str]:
    """Pick the lots that expire in the horizon or as many days after it, and draw their value by day of expiry."""
    when = days.numbers(lots["expiry_date"])
    mine = lots[(when >= 0) & (when < 2 * days.horizon)]
    if mine.empty:
        return mine, None, "No lot expires in the horizon or within as many days after it."
    reach = 2 * days.horizon
    step = max(1, -(-reach // 28))
    slots = -(-reach // step)
    place = (days.numbers(mine["expiry_date"]) // step).astype(np.int64)
    gone = np.bincount(place, weights=mine["value"] * (mine["wasted"] > 0), minlength=slots)
    left = np.bincount(place, weights=mine["value"] * (mine["wasted"] == 0), minlength=slots)
    dates = [(pd.Timestamp(days.start) + pd.Timedelta(days=step * slot)).date() for slot in range(slots)]
    series = [Series("expires in the plan", "bad", gone.tolist()), Series("left at the end", "late", left.tolist())]
    drawing = columns("Value of lots by day of expiry", currency, Span(dates, [step] * slots), series)
    lost = float((mine["wasted"] / (mine["left"] + mine["wasted"]) * mine["value"]).sum())
    said = f"{words.money(lost, currency)} expires in the plan"
    rest = float(mine["value"].sum()) - lost
    return (
        mine,
        drawing,
        f"{said}; {words.money(rest, currency)} more is left at the end and expires within {days.horizon} days after.",
    )
