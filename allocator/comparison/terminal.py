"""A comparison in a few lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.comparison.sides import is_open
from allocator.comparison.told import because, gap, headline, limit_counts, signed
from allocator.report import words

if TYPE_CHECKING:
    from allocator.comparison.comparison import Comparison

HEADINGS = ("", "value", "difference", "fill rate", "units lost", "freight", "gap")
WIDTH = 110
OPEN = " (which is better is open)"


def summary(comparison: Comparison) -> str:
    """Sum a comparison up: a line for each case, who wins, and why each differs."""
    cases, currency = comparison.tables["cases"], comparison.currency
    rows = [HEADINGS]
    for label, value, difference, proven in zip(
        cases["case"], cases["value"], cases["difference"], cases["gap"], strict=True
    ):
        rows.append(
            (
                _clean(label, 34),
                words.money(value, currency),
                "base" if label == comparison.base else signed(difference, currency, currency),
                words.share(comparison.kpi("fill_rate", label)),
                words.number(comparison.kpi("units_lost", label)),
                words.money(comparison.kpi("freight", label), currency),
                gap(proven),
            )
        )
    wide = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            [f"{row[0]:<{wide[0]}}", *(f"{cell:>{width}}" for cell, width in zip(row[1:], wide[1:], strict=True))]
        )
        for row in rows
    ]
    lines.append(_clean(headline(comparison), WIDTH))
    for label, unsure in list(zip(cases["case"], is_open(cases), strict=True))[1:]:
        tight, free = limit_counts(comparison.tables["limits"], label)
        moved = int((comparison.tables["allocations"]["case"] == label).sum())
        lines.append(_clean(f"  {label}: {because(comparison, label)}{OPEN if unsure else ''}", WIDTH))
        lines.append(f"    {tight} limits became tight, {free} free; {moved:,} shipments and admissions changed")
    return "\n".join(line.rstrip() for line in lines)


def _clean(text: str, width: int) -> str:
    shown = "".join(mark if mark.isprintable() else "?" for mark in text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"
