"""The comparison's page: one HTML file that opens offline, in the report's dress and under its content policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup, escape

from allocator.comparison.sides import is_open
from allocator.comparison.told import MEASURES, because, component, gap, headline, kpi_rows, limit_counts, signed
from allocator.measure.rows import records
from allocator.report import words
from allocator.report.answer import COMPONENTS
from allocator.report.charts import bar
from allocator.report.grid import Column, Grid, grid
from allocator.report.render import asset, content_policy, environment

if TYPE_CHECKING:
    from allocator.comparison.comparison import Comparison

TOP_MOVERS = 15
"""Rows shown of each case's movers, by item, site and channel and by measure."""
TOP_LIMITS = 200
TOP_ALLOCATIONS = 400


def render(comparison: Comparison) -> str:
    """Draw the page; the same comparison gives the same text but for what its manifest says of the clock."""
    style = asset("allocator.report", "page", "style.css") + "\n" + asset("allocator.comparison", "assets", "more.css")
    script = asset("allocator.report", "page", "script.js")
    template = environment("allocator.comparison", "assets").get_template("comparison.html.j2")
    return template.render(
        style=Markup(style), script=Markup(script), policy=content_policy(style, script), **context(comparison)
    )


def context(comparison: Comparison) -> dict[str, Any]:
    """Work out everything the page shows."""
    cases, currency = comparison.tables["cases"], comparison.currency
    others = cases["case"].tolist()[1:]
    return {
        "currency": currency,
        "base": comparison.base,
        "labels": cases["case"].tolist(),
        "headline": headline(comparison),
        "values": _values(comparison),
        "outlooks": _outlooks(comparison),
        "kpis": kpi_rows(comparison),
        "falls": [
            {"case": label, "why": because(comparison, label), "steps": _steps(comparison, label)} for label in others
        ],
        "movers": _movers(comparison),
        "limit_words": [(label, *limit_counts(comparison.tables["limits"], label)) for label in others],
        "limits": _limits(comparison),
        "prices": _prices(comparison),
        "allocations": _allocations(comparison),
        "sources": _sources(comparison),
        "facts": _facts(comparison),
    }


def _values(comparison: Comparison) -> list[dict[str, Any]]:
    """A bar for each case's value, all to one scale from 0."""
    cases, currency = comparison.tables["cases"], comparison.currency
    low, high = min(0.0, float(cases["value"].min())), max(0.0, float(cases["value"].max()))
    reach = (high - low) or 1.0
    rows = []
    columns = ("case", "value", "difference", "gap", "bound")
    for label, value, difference, shut, bound, unsure in zip(
        *(cases[name].tolist() for name in columns), is_open(cases), strict=True
    ):
        start, end = (min(value, 0.0) - low) / reach, (max(value, 0.0) - low) / reach
        most = "" if words.is_missing(bound) else f", at most {words.money(bound, currency)}"
        tint = "sum" if label == comparison.base else "level"
        rows.append(
            {
                "case": label,
                "bar": bar([(start, max(end - start, 0.002), tint, f"{label}: {words.money(value, currency)}{most}")]),
                "value": words.figure(value),
                "difference": "base" if label == comparison.base else signed(difference, currency, currency),
                "mood": "good" if difference > 1e-9 else "bad" if difference < -1e-9 else "",
                "gap": gap(shut),
                "open": unsure,
                "best": label == comparison.best,
            }
        )
    return rows


def _outlooks(comparison: Comparison) -> list[str]:
    """Say what the difference is over the outlooks, for each case that was hedged against the same ones as the base."""
    said, currency = [], comparison.currency
    for row in records(comparison.tables["cases"])[1:]:
        if not words.is_missing(row["outlooks_mean"]):
            mean, low, high = (signed(row[f"outlooks_{name}"], currency, currency) for name in ("mean", "low", "high"))
            said.append(f"{row['case']}: {mean} {currency} over the outlooks, 95 % of such means from {low} to {high}")
    return said


def _steps(comparison: Comparison, case: str) -> list[dict[str, Any]]:
    """The difference in value as a waterfall from 0: each component starts where the last one ends."""
    frame = comparison.tables["waterfall"]
    mine = frame[(frame["case"] == case) & (frame["contribution"].abs() >= 0.005)]
    order = {name: place for place, name in enumerate(COMPONENTS)}
    mine = mine.sort_values("component", key=lambda names: names.map(order).fillna(len(order)), kind="stable")
    level, marks = 0.0, [0.0]
    for figure in mine["contribution"]:
        level += float(figure)
        marks.append(level)
    low, reach = min(marks), (max(marks) - min(marks)) or 1.0

    def drawn(a: float, b: float, tint: str, tip: str) -> Markup:
        left, right = (min(a, b) - low) / reach, (max(a, b) - low) / reach
        return bar([(left, max(right - left, 0.003), tint, tip)])

    steps = []
    for place, (name, figure) in enumerate(zip(mine["component"], mine["contribution"], strict=True)):
        shown = signed(float(figure), comparison.currency, comparison.currency)
        tint = "gain" if figure > 0 else "cost"
        tip = f"{component(name)}: {shown} {comparison.currency}"
        steps.append(
            {
                "name": component(name),
                "bar": drawn(marks[place], marks[place + 1], tint, tip),
                "figure": shown,
                "total": False,
            }
        )
    shown = signed(level, comparison.currency, comparison.currency)
    total = drawn(0.0, level, "sum", f"difference in value: {shown} {comparison.currency}")
    return [*steps, {"name": "Difference in value", "bar": total, "figure": shown, "total": True}]


def _movers(comparison: Comparison) -> list[Grid]:
    frame = comparison.tables["movers"]
    grids = []
    for by, title in (("item", "Items"), ("site", "Sites"), ("channel", "Channels")):
        mine = frame[frame["by"] == by].assign(what=lambda rows: rows["measure"].map(MEASURES))
        top = mine.groupby(["case", "measure"], sort=False, observed=True).head(TOP_MOVERS)
        columns = [
            *(Column("case", "Case"), Column("what", "Figure"), Column("code", title[:-1])),
            *(Column("base", comparison.base, "count"), Column("quantity", "Case's", "count")),
            Column("difference", "Difference", "count"),
        ]
        shown = f"{title} that moved most"
        grids.append(grid(f"movers-{by}", f"{shown}, {len(top):,} of {len(mine):,}", top, columns, len(top)))
    return grids


def _limits(comparison: Comparison) -> Grid:
    frame = comparison.tables["limits"]
    mine = _placed(frame[frame["change"] != "tight in both"])
    mine = mine.loc[mine["difference"].abs().sort_values(ascending=False, kind="stable").index]
    columns = [
        *(Column("case", "Case"), Column("change", "Limit"), Column("what", "What"), Column("where", "Where")),
        *(Column("date", "Day", "date"), Column("base", comparison.base, "money"), Column("price", "Case's", "money")),
    ]
    return grid("limits", "Limits that became tight or free", mine, columns, TOP_LIMITS, "largest change of price")


def _prices(comparison: Comparison) -> Grid:
    """The next unit's worth of each resource and place in every case: the dearest day of each."""
    frame = _placed(comparison.tables["limits"])
    keys = ["what", "where", "unit"]
    base = frame.groupby(keys, sort=True, observed=True)["base"].max()
    wide = pd.DataFrame({comparison.base: base})
    others = comparison.tables["cases"]["case"].tolist()[1:]
    for label in others:
        mine = frame[frame["case"] == label]
        wide[label] = mine.groupby(keys, sort=True, observed=True)["price"].max().reindex(wide.index).fillna(0.0)
    names = {label: f"case{place}" for place, label in enumerate(wide.columns)}
    order = (-wide.max(axis=1)).sort_values(kind="stable").index
    shown = wide.loc[order].rename(columns=names).reset_index()
    columns = [Column("what", "What"), Column("where", "Where"), Column("unit", "Unit")]
    columns += [Column(name, label, "money") for label, name in names.items()]
    caption = f"What one more unit is worth on the dearest day, {comparison.currency}"
    return grid("prices", caption, shown, columns, TOP_LIMITS, "dearest")


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    places = [words.place(row) for row in records(frame)]
    return frame.assign(where=places, what=frame["resource"].map(lambda name: words.NAMES.get(name, name)))


def _allocations(comparison: Comparison) -> Grid:
    frame = comparison.tables["allocations"]
    order = frame["difference"].abs().sort_values(ascending=False, kind="stable").index
    columns = [
        *(Column("case", "Case"), Column("kind", "Move"), Column("item", "Item"), Column("origin", "From")),
        *(Column("destination", "To"), Column("date", "Day", "date"), Column("base", comparison.base, "count")),
        *(Column("quantity", "Case's", "count"), Column("difference", "Difference", "count")),
    ]
    return grid("allocations", "Moves that changed", frame.loc[order], columns, TOP_ALLOCATIONS, "largest")


def _sources(comparison: Comparison) -> Grid:
    cases = comparison.tables["cases"]
    came = {entry["case"]: entry["from"] for entry in comparison.manifest["cases"]}
    shown = cases.assign(came=cases["case"].map(came), gap=cases["gap"].map(gap))
    columns = [
        *(Column("case", "Case"), Column("network", "Network"), Column("scenario", "Scenario"), Column("came", "Plan")),
        *(Column("engine", "Engine"), Column("status", "Status"), Column("gap", "Gap"), Column("plan_id", "Plan id")),
        Column("exceptions", "Limits that gave", "count"),
    ]
    return grid("cases", "The cases", shown, columns, len(shown))


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    manifest = comparison.manifest
    facts = [("Comparison", str(manifest["comparison_id"])), ("Made", str(manifest["created"]))]
    for title, name in (("Options", "options"), ("Versions", "versions")):
        facts.append((title, ", ".join(f"{key} {value}" for key, value in sorted(manifest[name].items()))))
    return facts


def card(comparison: Comparison) -> str:
    """A small table for a notebook: every KPI of the network in every case, differences below figures."""
    labels = comparison.tables["cases"]["case"].tolist()
    head = Markup("").join(Markup("<th>{}</th>").format(label) for label in labels)
    tints = {"good": "#23744a", "bad": "#b03a2b", "": "inherit"}
    rows = Markup("")
    for title, cells in kpi_rows(comparison):
        row = Markup("").join(
            Markup('<td style="text-align:right">{}{}</td>').format(
                cell.figure,
                Markup('<br><small style="color:{}">{}</small>').format(tints[cell.direction], cell.difference)
                if cell.difference
                else "",
            )
            for cell in cells
        )
        rows += Markup("<tr><th style='text-align:left'>{}</th>{}</tr>").format(title, row)
    return str(
        Markup("<div><p>{}</p><table><thead><tr><th></th>{}</tr></thead><tbody>{}</tbody></table></div>").format(
            escape(headline(comparison)), head, rows
        )
    )
