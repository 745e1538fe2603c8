"""A plan in a few lines for the terminal: what it is worth, how good that is, key figures, what gave."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from allocator.measure import KPIS, headline
from allocator.report import answer, words

if TYPE_CHECKING:
    from rich.console import Group

SHOWN = (
    *("value", "value_over_rules", "fill_rate", "cycle_service_level", "stockout_rate", "units_served", "units_lost"),
    *("units_waiting", "late_units", "units_shipped", "push_share", "freight", "waste_units", "expired_value"),
    *("inventory_turns", "days_of_cover"),
)


def figures(
    kpis: pd.DataFrame, baseline: pd.DataFrame | Mapping[str, float] | None = None
) -> list[tuple[str, str, str]]:
    """List the key figures: title, this plan, the rules' plan (empty without one)."""
    whole = headline(kpis)
    base = headline(baseline) if isinstance(baseline, pd.DataFrame) else dict(baseline or {})
    units = dict(zip(kpis["kpi"].astype(str), kpis["unit"].astype(str), strict=True))
    known = {kpi.name: kpi for kpi in KPIS}
    rows = []
    for name in SHOWN:
        if name in whole and not words.is_missing(whole[name]):
            currency = units[name] if known[name].unit == "currency" else ""
            mine = words.measured(whole[name], units[name], currency)
            theirs = words.measured(base[name], units[name], currency) if name in base else ""
            rows.append((known[name].title, mine, theirs))
    return rows


def summary(
    kpis: pd.DataFrame,
    certificate: Mapping[str, Any],
    exceptions: pd.DataFrame,
    *,
    baseline: pd.DataFrame | Mapping[str, float] | None = None,
    where: Mapping[str, str] | None = None,
    terminal: bool = False,
) -> Group | str:
    """Sum a plan up.

    Parameters
    ----------
    kpis : DataFrame
        What `allocator.measure.measure` gave.
    certificate : Mapping
        As in certificate.json.
    exceptions : DataFrame
        The limits that gave.
    baseline : DataFrame or Mapping of str to float, optional
        The rules engine's KPIs.
    where : Mapping of str to str, optional
        What lies where, such as plan and report, told at the end.
    terminal : bool
        Whether to return something rich can draw in colour (imports rich), or plain text.

    Returns
    -------
    rich.console.Group or str
        Lines of at most 100 characters, names from data cut where needed.
    """
    kinds = kpis.loc[kpis["kpi"] == "value", "unit"]
    currency = str(kinds.iloc[0]) if len(kinds) else ""
    rows = figures(kpis, baseline)
    lead, dearest = answer.gave(exceptions, currency)
    broken = answer.check(certificate)[0]
    fallen = answer.degraded(certificate)
    told = [
        *fallen[:1],
        *[part for sentence in fallen[1:] for part in wrap(f"  {sentence}", 100, subsequent_indent="    ")],
        answer.proof(certificate, currency),
        *([broken] if broken else []),
        lead,
        *[f"  {sentence}" for sentence in dearest[:3]],
    ]
    if len(exceptions) > 3 and len(dearest) >= 3:
        told.append(f"  and {words.number(len(exceptions) - 3)} more, with mends in the report")
    told = [_clip(sentence) for sentence in told]
    places = [f"{name}: {address}" for name, address in (where or {}).items()]
    if terminal:
        return _rich(rows, told, places, bool(fallen))
    return "\n".join([*_plain(rows), *told, *places])


def _clip(sentence: str) -> str:
    clean = "".join(mark if mark.isprintable() else "?" for mark in sentence)
    return clean if len(clean) <= 100 else clean[:99] + "…"


def _plain(rows: list[tuple[str, str, str]]) -> list[str]:
    beside = any(theirs for _, _, theirs in rows)
    heading = [("", "this plan", "rules")] if beside else []
    wide = [max((len(row[column]) for row in [*heading, *rows]), default=0) for column in range(3)]
    lines = []
    for title, mine, theirs in [*heading, *rows]:
        line = f"{title:<{wide[0]}}  {mine:>{wide[1]}}"
        lines.append(f"{line}  {theirs:>{wide[2]}}".rstrip() if beside else line)
    return lines


def _rich(rows: list[tuple[str, str, str]], told: list[str], places: list[str], bad: bool) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=any(theirs for _, _, theirs in rows), header_style="dim")
    table.add_column("")
    table.add_column("this plan", justify="right", style="bold")
    if table.show_header:
        table.add_column("rules", justify="right", style="dim")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[: len(table.columns)]))
    lines = [
        Text(told[0], style="red" if bad else "green"),
        *(Text(line) for line in told[1:]),
        *(Text(line, style="dim") for line in places),
    ]
    return Group(table, Text(""), *lines)
