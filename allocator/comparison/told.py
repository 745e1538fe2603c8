"""A comparison in a reader's words: figures with units, differences with their direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from allocator.comparison.sides import is_open
from allocator.measure.registry import KPIS
from allocator.report import words
from allocator.report.answer import COMPONENTS

if TYPE_CHECKING:
    from allocator.comparison.comparison import Comparison

SHOWN = (
    *("value", "margin", "fill_rate", "cycle_service_level", "stockout_rate", "units_served", "units_lost"),
    *("units_waiting", "late_units", "units_shipped", "push_share", "freight", "waste_units", "expired_value"),
    *("inventory_turns", "days_of_cover"),
)
"""KPIs of the network shown side by side; all of them, of every scope, are in the table `kpis`."""
MEASURES = {"served": "units served", "lost": "units lost", "shipped": "units shipped", "stock": "units at the end"}


@dataclass(frozen=True)
class Beside:
    """One KPI of one case: the figure, the difference to the base, and good, bad or nothing."""

    figure: str
    difference: str
    direction: str


def signed(value: float, unit: str, currency: str) -> str:
    """Write a difference with its sign; shares differ by percentage points."""
    if words.is_missing(value):
        return ""
    size = abs(value) * (100 if unit == "share" else 1)
    decimals = 1 if unit == "share" else 0 if size >= 100 or float(size).is_integer() else 1 if size >= 1 else 2
    if size < 0.5 * 10.0**-decimals:
        return "="
    return f"{'+' if value > 0 else '−'}{size:,.{decimals}f}{' pp' if unit == 'share' else ''}"


def gap(value: float) -> str:
    """Write a proven gap; what is below the arithmetic's own noise is none."""
    return "none proven" if words.is_missing(value) else words.gap(0.0 if abs(value) < 1e-9 else value)


def kpi_rows(comparison: Comparison) -> list[tuple[str, list[Beside]]]:
    """Give the KPIs of the whole network: title, and a cell for each case, the base first."""
    frame, currency = comparison.tables["kpis"], comparison.currency
    network = frame[frame["scope"] == "network"]
    labels = comparison.tables["cases"]["case"].tolist()[1:]
    titles, rows = {kpi.name: kpi.title for kpi in KPIS}, []
    for name in SHOWN:
        mine = network[network["kpi"] == name].set_index("case")
        if mine.empty or mine[["base", "value"]].isna().all(axis=None):
            continue
        unit = str(mine["unit"].iloc[0])
        cells = [Beside(words.measured(float(mine["base"].iloc[0]), unit, currency), "", "")]
        for label in labels:
            row = mine.loc[label]
            change = signed(float(row["difference"]), unit, currency)
            mood = "" if change == "=" else str(row["direction"])
            cells.append(Beside(words.measured(float(row["value"]), unit, currency), change, mood))
        rows.append((titles[name], cells))
    return rows


def component(name: str) -> str:
    """Give a component's name for people."""
    return COMPONENTS.get(name, name)


def because(comparison: Comparison, case: str, most: int = 3) -> str:
    """Say what makes the difference in value of one case: its largest components."""
    frame = comparison.tables["waterfall"]
    mine = frame[(frame["case"] == case) & (frame["contribution"].abs() >= 0.005)]
    mine = mine.loc[mine["contribution"].abs().sort_values(ascending=False, kind="stable").index].head(most)
    parts = [
        f"{component(name)} {signed(figure, comparison.currency, comparison.currency)}"
        for name, figure in zip(mine["component"], mine["contribution"], strict=True)
    ]
    return ", ".join(parts) if parts else "the same in every component"


def limit_counts(frame: pd.DataFrame, case: str) -> tuple[int, int]:
    """Count the limits that became tight and those that became free in one case."""
    mine = frame.loc[frame["case"] == case, "change"]
    return int((mine == "became tight").sum()), int((mine == "became free").sum())


def headline(comparison: Comparison) -> str:
    """Name the winner in a sentence."""
    cases, currency = comparison.tables["cases"], comparison.currency
    values = {str(case): float(value) for case, value in zip(cases["case"], cases["value"], strict=True)}
    best, base = comparison.best, comparison.base
    worth = words.money(values[best], currency)
    if best != base:
        sure = ", which the gaps leave open" if is_open(cases)[cases["case"].tolist().index(best)] else ""
        return f"{best} is worth most, {worth}: {_more(values[best] - values[base], currency)} more than {base}{sure}."
    runner = max((case for case in values if case != base), key=values.__getitem__)
    return (
        f"{base} is worth most, {worth}: {_more(values[base] - values[runner], currency)} more than the next, {runner}."
    )


def _more(value: float, currency: str) -> str:
    return words.money(value, currency, 0 if value >= 100 else 2)
