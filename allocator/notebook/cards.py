"""What a notebook shows of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allocator.tables.card import card

if TYPE_CHECKING:
    from allocator.plan.plan import Plan


def plan_card(plan: Plan) -> str:
    """Draw a plan: its value, what is proven, what gave, and its key figures beside the rules engine's."""
    from allocator.report.answer import check, gave, proof
    from allocator.report.terminal import figures
    from allocator.report.words import money

    currency = plan.network.settings.currency
    broken, findings = check(plan.certificate)
    lead, dearest = gave(plan.tables["exceptions"], currency)
    notes = [
        proof(plan.certificate, currency),
        *([broken, *findings] if broken else []),
        lead,
        *dearest[:3],
        *[str(note) for note in plan.manifest.get("notes") or []],
    ]
    title = f"{plan.network.settings.name}: a plan worth {money(float(plan.certificate['value']), currency)}"
    rows = figures(plan.tables["kpis"], plan.baseline)
    beside = any(theirs for _, _, theirs in rows)
    heads = ("figure", "this plan", "rules") if beside else ("figure", "this plan")
    return card(title, heads, [row[: len(heads)] for row in rows], notes)
