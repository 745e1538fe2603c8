"""The answer first: value, proven gap, what gave, key figures, the components of value, and the rules beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from allocator.measure import KPIS, headline
from allocator.measure.rows import records
from allocator.report import words
from allocator.report.charts import bar
from allocator.report.coded import largest

COMPONENTS = {
    "margin": "Margin",
    "freight": "Freight",
    "vehicles": "Vehicles",
    "fulfilment": "Serving customers",
    "holding": "Holding stock",
    "waste": "Waste",
    "unmet": "Unmet demand",
    "lateness": "Lateness",
    "change": "Changes to the last plan",
    "priority": "Priority premium",
    "min_stock": "Below minimum stock",
    "safety_stock": "Below safety stock",
    "max_stock": "Above maximum stock",
    "storage": "Storage over its limit",
    "inbound": "Inbound over its limit",
    "locks": "Locks not kept",
    "min_fill": "Below minimum fill",
}
TILES = (
    *("fill_rate", "cycle_service_level", "stockout_rate", "units_lost", "late_units", "units_waiting"),
    *("freight", "expired_value", "push_share", "inventory_turns", "days_of_cover", "units_shipped"),
)
TOLD = 6  # sentences about what gave


@dataclass(frozen=True)
class Tile:
    """A key figure: title, figure and unit, its definition, and its change against the rules' plan."""

    title: str
    figure: str
    unit: str
    definition: str
    change: str
    mood: str  # good, bad or flat


@dataclass(frozen=True)
class Step:
    """One step of the value: name, bar, amount in words."""

    name: str
    bar: Markup
    figure: str
    total: bool


def proof(certificate: Mapping[str, Any], currency: str) -> str:
    """Say how far from the best possible the plan can be."""
    bound, objective = certificate.get("bound"), certificate.get("objective")
    if words.is_missing(bound) or words.is_missing(objective) or math.isinf(float(bound)):  # type: ignore[arg-type]
        return "No bound was computed: how far from the best this plan is has not been proven."
    room = max(float(objective) - float(bound), 0.0)  # type: ignore[arg-type]
    if room <= 1e-6 * max(1.0, abs(float(objective))):  # type: ignore[arg-type]
        return "Proven optimal: no plan on this input is worth more."
    gap = float(certificate.get("gap") or 0.0)
    if gap > 0.5:
        return (
            f"No plan on this input is worth over {words.money(room, currency)} more: a wide gap, of {words.gap(gap)}."
        )
    within = words.gap(gap)
    return f"Proven within {within} of the best possible: no plan is worth over {words.money(room, currency)} more."


def check(certificate: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Say whether the audit found broken rules, and which first; empty when it found none or did not run."""
    audit = certificate.get("audit") or {}
    findings = [str(finding) for finding in audit.get("findings") or []]
    if not audit or audit.get("ok", True):
        return "", []
    return "The audit found broken rules in this plan: do not execute it before they are explained.", findings[:TOLD]


def degraded(certificate: Mapping[str, Any]) -> list[str]:
    """Say that the solver could not be trusted with this plan, why, and what to do; empty when it could."""
    if certificate.get("status") != "degraded":
        return []
    told = certificate.get("degraded") or {}
    lead = "Degraded: no solver's plan could be trusted, so this is the plan of the rules of thumb."
    whys = [f"why: {why}" for why in told.get("why") or ["the certificate does not say"]]
    return [lead, *whys, *([f"mend: {told['mend']}"] if told.get("mend") else [])]


def gave(exceptions: pd.DataFrame, currency: str) -> tuple[str, list[str]]:
    """Say which limits gave: one sentence, and the dearest ones."""
    if exceptions.empty:
        return "Nothing had to give: every limit holds.", []
    cost = float(exceptions["cost"].sum())
    count = len(exceptions)
    what = f"{words.number(count)} limit{'s' if count > 1 else ''}"
    lead = f"{what} had to give, at {words.money(cost, currency)} of penalty."
    dearest = largest(exceptions, "cost", ["what", "where"], TOLD)
    return lead, [exception_words(row, currency) for row in records(dearest)]


def exception_words(row: Mapping[str, Any], currency: str) -> str:
    """Put one exception in a sentence."""
    item = f" of {row['item']}" if not words.is_missing(row.get("item")) and row.get("item") else ""
    where = f" at {row['where']}" if not words.is_missing(row.get("where")) and row.get("where") else ""
    when = f" on {words.long_day(row['date'])}" if not words.is_missing(row.get("date")) else ""
    name = str(row["what"]).replace("_", " ")
    unit = words.single(row["unit"]) if row["amount"] == 1 else row["unit"]
    much = f"by {words.amount(row['amount'])} {unit}, {words.money(row['cost'], currency)}"
    return f"{name}{item}{where}{when}: {much}"


def tiles(kpis: pd.DataFrame, baseline: Mapping[str, float] | None, currency: str) -> list[Tile]:
    """Pick the key figures of the network."""
    whole = headline(kpis)
    known = {kpi.name: kpi for kpi in KPIS}
    made = []
    for name in TILES:
        kpi, value = known[name], whole.get(name, math.nan)
        if math.isnan(value):
            continue
        unit = currency if kpi.unit == "currency" else kpi.unit
        change, mood = difference(value, None if baseline is None else baseline.get(name), unit, kpi.better, currency)
        figure, _, suffix = words.measured(value, unit, currency).partition(" ")
        made.append(Tile(kpi.title, figure, suffix, kpi.definition, change, mood))
    return made


def difference(value: float, base: float | None, unit: str, better: str, currency: str) -> tuple[str, str]:
    """Write a change against the baseline, and whether it is good, bad or flat."""
    if base is None or math.isnan(base) or math.isnan(value):
        return "", "flat"
    change = value - base
    scale = max(abs(value), abs(base), 1e-9)
    if abs(change) < 1e-4 * scale:
        return "same as the rules", "flat"
    if unit == "share":
        figure = f"{abs(100 * change):.1f} points"
    elif unit == currency:
        figure = words.money(abs(change), currency)
    else:
        figure = words.measured(abs(change), unit, currency)
    mood = "flat" if better == "neither" else "good" if (change > 0) == (better == "up") else "bad"
    return f"{'+' if change > 0 else '−'}{figure} against the rules", mood


def steps(components: Mapping[str, float]) -> list[Step]:
    """Lay the value out as margin less each cost, each bar starting where the last one ends."""
    named = {**{name: float(components.get(name, 0.0)) for name in COMPONENTS}}
    named |= {name: float(figure) for name, figure in components.items() if name not in COMPONENTS}
    parts = [(COMPONENTS.get(name, name), -figure) for name, figure in named.items()]
    parts = [(name, figure) for name, figure in parts if abs(figure) >= 0.005]
    level, marks = 0.0, [0.0]
    for _, figure in parts:
        level += figure
        marks.append(level)
    low, high = min(marks), max(marks)
    reach = (high - low) or 1.0

    def drawn(a: float, b: float, tint: str) -> Markup:
        """Draw a bar between two levels."""
        left, right = (min(a, b) - low) / reach, (max(a, b) - low) / reach
        return bar([(left, max(right - left, 0.003), tint, "")])

    made = [
        Step(name, drawn(marks[i], marks[i + 1], "gain" if figure > 0 else "cost"), _signed(figure), False)
        for i, (name, figure) in enumerate(parts)
    ]
    return [*made, Step("Value of the plan", drawn(0.0, level, "sum"), words.figure(level), True)]


def _signed(figure: float) -> str:
    return f"{'+' if figure > 0 else '−'}{words.number(abs(figure), 2 if abs(figure) < 10 else 0)}"


def beside_rules(
    kpis: pd.DataFrame, baseline: Mapping[str, float] | None, currency: str
) -> list[tuple[str, str, str, str, str]]:
    """Lay every network KPI beside the rules engine's: title, plan, rules, change, mood."""
    if not baseline:
        return []
    whole, rows = headline(kpis), []
    for kpi in KPIS:
        value, base = whole.get(kpi.name, math.nan), baseline.get(kpi.name, math.nan)
        if kpi.name == "value_over_rules" or math.isnan(value) or math.isnan(base):
            continue
        unit = currency if kpi.unit == "currency" else kpi.unit
        change, mood = difference(value, base, unit, kpi.better, currency)
        change = change.removesuffix(" against the rules").replace("same as the rules", "same")
        rows.append(
            (kpi.title, words.measured(value, unit, currency), words.measured(base, unit, currency), change, mood)
        )
    return rows
