"""Service by channel: what became of its demand, in total and day by day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup

from allocator.measure import Days, serve
from allocator.measure.days import Floats, per_bucket
from allocator.report import words
from allocator.report.charts import Series, columns, stacked_bar
from allocator.report.coded import ranks
from allocator.report.pictures import span_of

if TYPE_CHECKING:
    from allocator.tables import Tables

TOP_CHANNELS = 6
MOST_DEMAND = 2_000_000
"""Rows of forecasts and orders up to which late units are told apart day by day: that takes the demand of every claim."""

Plan = Mapping[str, pd.DataFrame]
Daily = dict[str, tuple[Floats, Floats, Floats]]


def channels(kpis: pd.DataFrame) -> pd.DataFrame:
    """Lay out what became of each channel's demand, most asked first: columns asked, served, late, waiting, lost. [units]"""
    names = {"units_served": "served", "late_units": "late", "units_waiting": "waiting", "units_lost": "lost"}
    mine = kpis[kpis["scope"].str.startswith("channel:") & kpis["kpi"].isin(names)]
    table = pd.DataFrame(
        {
            "channel": mine["scope"].str.removeprefix("channel:").to_numpy(dtype=object),
            "figure": mine["kpi"].map(names).to_numpy(dtype=object),
            "value": mine["value"].to_numpy(float),
        }
    )
    wide = table.pivot_table(index="channel", columns="figure", values="value", aggfunc="sum", fill_value=0.0)
    wide = wide.reindex(columns=list(names.values()), fill_value=0.0)
    wide["asked"] = wide["served"] + wide["waiting"] + wide["lost"]
    return wide.sort_values("asked", ascending=False, kind="stable")


def daily(tables: Tables, plan: Plan, days: Days) -> tuple[Daily, bool]:
    """Give what each channel was served on its day, was served late and lost in every bucket, and whether late is told apart."""
    if tables.encoded("forecasts").num_rows + tables.encoded("orders").num_rows <= MOST_DEMAND:
        done = serve(tables, plan, days)
        named = done.asked.claims["channel"].to_numpy()
        found = {}
        for name in sorted(set(named)):
            served, late, lost = (grid[named == name].sum(axis=0) for grid in (done.served, done.late, done.lost))
            found[str(name)] = (served - late, late, lost)
        return found, True
    names = pd.Index(sorted(tables["channels"]["channel"].to_pylist()))
    shape = (len(names), days.count)
    served, lost = np.zeros(shape), np.zeros(shape)
    gone = plan["unmet"]
    for grid, frame in ((served, plan["admissions"]), (lost, gone[gone["status"] == "lost"])):
        grid += per_bucket(
            ranks(frame["channel"], names), days.buckets_of(frame["date"]), frame["quantity"].to_numpy(float), shape
        )
    return {name: (served[k], np.zeros(days.count), lost[k]) for k, name in enumerate(names)}, False


def service(
    tables: Tables, plan: Plan, kpis: pd.DataFrame, days: Days
) -> tuple[list[tuple[str, Markup, str, str]], list[Markup], str]:
    """Show what became of each channel's demand, in total and day by day."""
    sums = channels(kpis)
    rows = []
    for channel, row in sums.iterrows():
        on_time, asked = float(row["served"] - row["late"]), float(row["asked"])
        amounts = [
            ("served on its day", "ontime", on_time),
            ("served late", "late", float(row["late"])),
            ("waiting at the end", "waiting", float(row["waiting"])),
            ("lost", "lost", float(row["lost"])),
        ]
        rate = on_time / asked if asked > 0 else float("nan")
        rows.append((str(channel), stacked_bar(amounts, asked, "units"), words.number(asked), words.share(rate)))
    by_day, apart = daily(tables, plan, days)
    charts = [_daily(name, by_day[name], apart, days) for name in map(str, sums.index[:TOP_CHANNELS]) if name in by_day]
    return rows, charts, _service_words(sums.sum())


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


def _daily(channel: str, figures: tuple[Floats, Floats, Floats], apart: bool, days: Days) -> Markup:
    on_time, late, lost = (one.tolist() for one in figures)
    series = [
        Series("served on its day" if apart else "served, on its day or late", "ontime", on_time),
        Series("served late", "late", late),
        Series("lost", "lost", lost),
    ]
    return columns(channel, "units", span_of(days), series)
