"""KPIs of a plan as a table, and the page that defines them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from allocator.measure.facts import Facts
from allocator.measure.registry import KPIS

if TYPE_CHECKING:
    from allocator.tables import Tables

DIRECTIONS = {"up": "higher is better", "down": "lower is better", "neither": "neither"}


def measure(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame],
    components: Mapping[str, float],
    baseline: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Compute every KPI of a plan.

    Parameters
    ----------
    tables : Tables
        The network.
    plan : Mapping of str to DataFrame
        The plan's tables shipments, admissions, projections and unmet, as docs/semantics.md gives their columns.
    components : Mapping of str to float, [currency]
        The objective's components, as in certificate.json: they sum to the objective, so margin earned is negative.
    baseline : Mapping of str to float, optional
        KPIs of the rules engine's plan (see `headline`).

    Returns
    -------
    DataFrame
        Columns kpi, scope (`network`, `channel:web`, `site:DC1`, `resource:outbound`), value (NaN = undefined), unit;
        sorted by kpi and scope.
    """
    facts = Facts.of(tables, plan, components, baseline)
    parts = []
    for kpi in KPIS:
        unit = tables.settings.currency if kpi.unit == "currency" else kpi.unit
        for level in kpi.levels:
            figures = kpi.function(facts, level)
            if level != "network":
                figures = figures.dropna()
            parts.append(
                pd.DataFrame(
                    {"kpi": kpi.name, "scope": list(figures.index), "value": figures.to_numpy(float), "unit": unit}
                )
            )
    every = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return every.sort_values(["kpi", "scope"], ignore_index=True)


def headline(kpis: pd.DataFrame) -> dict[str, float]:
    """Give the KPIs of the whole network by name; what `measure` and `render` take as a baseline."""
    whole = kpis[kpis["scope"] == "network"]
    return dict(zip(whole["kpi"].astype(str), whole["value"].astype(float), strict=True))


def kpi_page() -> str:
    """Write docs/kpis.md: the definition of every KPI, from the registry."""
    lines = [
        "# KPIs",
        "",
        "Written from the registry in `allocator/measure/registry.py`; do not edit by hand. Run `python -m",
        "allocator.measure > docs/kpis.md` after a change there. Terms, demand and buckets are those of",
        "[semantics.md](semantics.md). A figure is given for each scope listed (`network`, `channel:web`, `site:DC1`,",
        "`resource:outbound`); a `share` is a number from 0 to 1; an undefined ratio (nothing asked for) is empty.",
        "",
        "| kpi | title | unit | better | scopes | definition |",
        "|---|---|---|---|---|---|",
    ]
    for kpi in KPIS:
        cells = (kpi.name, kpi.title, kpi.unit, DIRECTIONS[kpi.better], ", ".join(kpi.levels), kpi.definition)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
