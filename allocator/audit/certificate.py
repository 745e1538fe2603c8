"""Figures the plan states of itself: the certificate's objective, bound and gap, and the network's KPIs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass
class Sums:
    """Units and values of the whole plan, added up over runs of items; [units], `expired` [currency]."""

    asked: float = 0.0
    served: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    waste: float = 0.0
    expired: float = 0.0
    shipped: float = 0.0

    def add(self, facts: Facts, coded: Coded, claims: Claims, fate: Fate) -> None:
        """Add a run of items."""
        before = np.concatenate([np.zeros((len(fate.backlog), 1)), fate.backlog[:, :-1]], axis=1)
        waste = coded.projections.waste
        self.asked += float(claims.demand.sum())
        self.served += float(fate.served.sum())
        self.late += float(np.minimum(fate.served, before).sum())
        self.lost += float(fate.lost.sum())
        self.waste += float(waste.sum())
        self.expired += float(waste @ facts.unit_cost[coded.projections.item])
        self.shipped += float(coded.shipments.quantity.sum())


def check_kpis(frame: pd.DataFrame, sums: Sums, objective: Mapping[str, float], book: Notebook) -> None:
    """Check the KPIs of the whole network that follow from units and costs alone."""
    expected = {
        "fill_rate": (sums.served - sums.late) / sums.asked if sums.asked > 0 else np.nan,
        "waste_units": sums.waste,
        "expired_value": sums.expired,
        "freight": objective["freight"] + objective["vehicles"],
        "units_shipped": sums.shipped,
        "units_served": sums.served,
        "units_lost": sums.lost,
        "value": -objective["total"],
    }
    network = frame[frame["scope"].astype(str) == "network"]
    said = dict(zip(network["kpi"].astype(str), floats(network["value"]), strict=True))
    names = [name for name, value in expected.items() if not np.isnan(value)]
    found = [said.get(name, np.nan) for name in names]
    book.equal("kpis", [expected[name] for name in names], found, lambda k: f"kpi {names[k]}, scope network")
