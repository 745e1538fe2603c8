"""Figures the plan states of itself: the certificate's objective, bound and gap, and the network's KPIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from allocator.audit.coded import Coded
from allocator.audit.demand import Claims, Fate
from allocator.audit.facts import Facts
from allocator.audit.keys import floats
from allocator.audit.objective import COMPONENTS
from allocator.audit.registry import TOLERANCE, Notebook


def check_certificate(certificate: Mapping[str, Any], objective: Mapping[str, float], book: Notebook) -> None:
    """Check the certificate against the recomputed objective.

    Parameters
    ----------
    certificate : mapping
        certificate.json: objective, components, bound, gap.
        `bound` and `gap` may be null together: nothing was proven.
    objective : mapping of str to float, [currency]
        Recomputed components and their total.
    book : Notebook
    """
    total = objective["total"]
    stated = _number(certificate, "objective")
    book.equal("objective", [total], [stated], lambda _: "certificate, objective")
    parts = certificate.get("components", {})
    said = [_number(parts, name) if name in parts or objective[name] != 0.0 else 0.0 for name in COMPONENTS]
    # The parts cancel: what doubles hold is a share of the largest of them, not of their sum.
    scale = max(1.0, abs(total), *(abs(objective[name]) for name in COMPONENTS))
    names = [f"certificate, components, {name}" for name in COMPONENTS]
    wanted = np.array([objective[name] for name in COMPONENTS])
    book.equal("components", wanted, said, lambda k: names[k], TOLERANCE)
    if certificate.get("bound") is None:
        book.count("gap", 1)
        if certificate.get("gap") is not None:
            book.says("gap", "certificate, gap", "none, as no bound is stated", str(certificate["gap"]))
        return
    bound = _number(certificate, "bound")
    book.at_most("bound", [bound], [total], lambda _: "certificate, bound", TOLERANCE * scale / max(1.0, abs(total)))
    gap = (stated - bound) / max(abs(stated), 1.0)
    book.equal("gap", [gap], [_number(certificate, "gap")], lambda _: "certificate, gap")


def _number(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else float("nan")


def check_kpis(
    facts: Facts,
    frame: pd.DataFrame,
    coded: Coded,
    claims: Claims,
    fate: Fate,
    objective: Mapping[str, float],
    book: Notebook,
) -> None:
    """Check the KPIs of the whole network that follow from units and costs alone."""
    asked = float(claims.demand.sum())
    before = np.concatenate([np.zeros((len(fate.backlog), 1)), fate.backlog[:, :-1]], axis=1)
    late = float(np.minimum(fate.served, before).sum())
    waste = coded.projections.waste
    expected = {
        "fill_rate": (float(fate.served.sum()) - late) / asked if asked > 0 else np.nan,
        "waste_units": float(waste.sum()),
        "expired_value": float(waste @ facts.unit_cost[coded.projections.item]),
        "freight": objective["freight"] + objective["vehicles"],
        "units_shipped": float(coded.shipments.quantity.sum()),
        "units_served": float(fate.served.sum()),
        "units_lost": float(fate.lost.sum()),
        "value": -objective["total"],
    }
    network = frame[frame["scope"].astype(str) == "network"]
    said = dict(zip(network["kpi"].astype(str), floats(network["value"]), strict=True))
    names = [name for name, value in expected.items() if not np.isnan(value)]
    found = [said.get(name, np.nan) for name in names]
    book.equal("kpis", [expected[name] for name in names], found, lambda k: f"kpi {names[k]}, scope network")
