"""A backtest in a few lines for the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from allocator.report import words

if TYPE_CHECKING:
    from allocator.backtest.result import Backtest
    from allocator.backtest.samples import Estimate

COLUMNS = (("fill_rate", "fill rate"), ("stockout_rate", "stockouts"), ("inventory_turns", "turns"))
UNITS = (("waste_units", "waste"), ("refused_units", "refused"), ("cancelled_units", "cancelled"))


def summary(made: Backtest) -> str:
    """Sum a backtest up: a line for each policy, and who wins by how much."""
    base, currency = str(made.facts["base"]), str(made.facts["currency"])
    header = ("", "margin", "+/-", f"less {base}", "+/-", *(t for _, t in COLUMNS), "freight", *(t for _, t in UNITS))
    rows = [header, *(_row(made, name, base, currency) for name in made.facts["policies"])]
    wide = [max(len(row[k]) for row in rows) for k in range(len(header))]
    lines = [
        "  ".join([f"{row[0]:<{wide[0]}}", *(f"{c:>{w}}" for c, w in zip(row[1:], wide[1:], strict=True))]).rstrip()
        for row in rows
    ]
    lines.append(f"{made.facts['samples']}; +/- is half of the {made.facts['confidence']:.0%} interval")
    return "\n".join([*lines, *_won(made, currency), *(f"note: {note}" for note in made.facts["notes"])])


def _row(made: Backtest, name: str, base: str, currency: str) -> tuple[str, ...]:
    def told(kpi: str) -> Estimate | None:
        try:
            return made.kpi(name, kpi)
        except KeyError:
            return None

    margin = made.kpi(name, "margin")
    try:
        apart = None if name == base else made.difference(name, "margin")
    except KeyError:
        apart = None
    cells = [name, _number(margin.value), _half(margin)]
    cells += ["base" if name == base else "", ""] if apart is None else [_signed(apart.value), _half(apart)]
    for kpi, _ in COLUMNS:
        found = told(kpi)
        known = found is not None and not math.isnan(found.value)
        cells.append("" if not known or found is None else _shown(kpi, found.value))
    for kpi in ("freight", *(kpi for kpi, _ in UNITS)):
        found = told(kpi)
        cells.append("" if found is None else _number(found.value))
    return tuple(cells)


def _shown(kpi: str, value: float) -> str:
    return f"{value:.1f}" if kpi == "inventory_turns" else words.share(value, 2)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def _signed(value: float) -> str:
    return "" if math.isnan(value) else ("+" if value > 0 else "") + _number(value)


def _half(found: Estimate) -> str:
    return "" if math.isnan(found.high) else _number(found.high - found.value)


def _won(made: Backtest, currency: str) -> list[str]:
    head = made.facts["headline"]
    if head["best_rule"] is None:
        return []
    gain, closed = head["gain"], head["closed"]
    line = f"{head['ours']} earns {_signed(gain['value'])} {currency} more than the best rule, {head['best_rule']}"
    if gain["low"] is not None:
        clear = gain["low"] > 0 or gain["high"] < 0
        line += f" ({_signed(gain['low'])} to {_signed(gain['high'])}{'' if clear else ': may be chance'})"
    if closed is not None and closed["value"] is not None:
        line += f"; that closes {closed['value']:.0%} of the distance to the bound"
    return [line]
