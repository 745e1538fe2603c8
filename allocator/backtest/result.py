"""A backtest: its tables, what they come to in words, and its folder."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.backtest.policies import BOUND, BOUND_TITLE, POLICIES
from allocator.backtest.running import Job
from allocator.backtest.samples import KPIS, Estimate, Sample, closed, difference, estimated
from allocator.plan.publish import Kind, publish_again, staging, write_table

TABLES = ("kpis", "differences", "plays")
PLAYS = "plays"
BACKTEST = Kind("backtest_id", "a backtest's folder", PLAYS)
RULES = ("rule-a", "rule-d", "pull", "jit")
OURS = ("outlooks", "mean")


@dataclass(frozen=True)
class Backtest:
    """Policies side by side on the same demand.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        kpis (policy, kpi, scope, value, low, high, error, samples, unit), differences (policy less base, the same columns),
        plays (policy, replication, margin, seconds, late: plans that the rules engine stood in for).
    facts : mapping
        How it was played, what the samples are, notes, and the headline.
    """

    tables: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any]

    def kpi(self, policy: str, name: str, scope: str = "network") -> Estimate:
        """One KPI of a policy with its interval."""
        return self._row(self.tables["kpis"], policy, name, scope)

    def difference(self, policy: str, name: str, scope: str = "network") -> Estimate:
        """One KPI of a policy less that of the base, paired."""
        return self._row(self.tables["differences"], policy, name, scope)

    @staticmethod
    def _row(frame: pd.DataFrame, policy: str, name: str, scope: str) -> Estimate:
        mine = frame[(frame["policy"] == policy) & (frame["kpi"] == name) & (frame["scope"] == scope)]
        if not len(mine):
            raise KeyError(f"no {name} of {scope} for {policy}; the table kpis lists what there is")
        row = mine.iloc[0]
        return Estimate(
            float(row["value"]), float(row["low"]), float(row["high"]), float(row["error"]), int(row["samples"])
        )

    def document(self) -> dict[str, Any]:
        """Everything as one JSON document; figures that are not known are null."""
        tables = {name: json.loads(self.tables[name].to_json(orient="records")) for name in TABLES}
        return {**self.facts, **tables}

    def publish(self, target: Path) -> Path:
        """Publish into a folder this process holds; plays kept in it stay."""
        with staging(target) as folder:
            for name in TABLES:
                write_table(self.tables[name], folder / f"{name}.parquet")
            text = json.dumps(self.document(), indent=1, sort_keys=True, ensure_ascii=False)
            (folder / "backtest.json").write_text(text + "\n", encoding="utf-8")
            publish_again(folder, target, self.facts, BACKTEST)
        return target


def tables_of(
    plays: Mapping[Job, Mapping[str, Any]], policies: Sequence[str], base: str, replications: int
) -> dict[str, pd.DataFrame]:
    """Estimates of every policy, and its paired differences from the base."""
    samples = {name: [plays[name, r]["sample"] for r in range(replications)] for name in policies}
    rows, apart = [], []
    for name in policies:
        for key in samples[name][0]:
            rows.append(_row(name, key, estimated(samples[name], key)))
            if name != base and _paired(samples[name][0], samples[base][0], key):
                apart.append(_row(name, key, difference(samples[name], samples[base], key)))
    each = [
        {
            "policy": name,
            "replication": r,
            "margin": math.fsum(plays[name, r]["sample"]["margin|network"][0]),
            "seconds": float(plays[name, r]["seconds"]),
            "late": int(plays[name, r].get("late", 0)),
        }
        for name in policies
        for r in range(replications)
    ]
    return {"kpis": _frame(rows), "differences": _frame(apart), "plays": pd.DataFrame(each)}


def _paired(one: Sample, two: Sample, key: str) -> bool:
    """Whether both have the KPI, block by block (the bound has no blocks of its own)."""
    return key in one and key in two and len(one[key][0]) == len(two[key][0])


COLUMNS = ("policy", "kpi", "scope", "value", "low", "high", "error", "samples", "unit")


def _row(policy: str, key: str, found: Estimate) -> dict[str, Any]:
    name, scope = key.split("|")
    unit = next(kpi.unit for kpi in KPIS if kpi.name == name)
    values = (found.value, found.low, found.high, found.error, found.samples)
    return dict(zip(COLUMNS, (policy, name, scope, *values, unit), strict=True))


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def headline(plays: Mapping[Job, Mapping[str, Any]], policies: Sequence[str], replications: int) -> dict[str, Any]:
    """Ours against the best rule, and how much of the distance to the bound that closes; null where a side was not played."""
    samples: dict[str, list[Sample]] = {
        name: [plays[name, r]["sample"] for r in range(replications)] for name in policies
    }
    ours = next((name for name in OURS if name in samples), None)
    rules = [name for name in RULES if name in samples]
    if ours is None or not rules:
        return {"ours": ours, "best_rule": None, "gain": None, "closed": None}
    best = max(rules, key=lambda name: (estimated(samples[name], "margin|network").value, name))
    gain = difference(samples[ours], samples[best], "margin|network")
    share = None
    if BOUND in samples and _paired(samples[BOUND][0], samples[ours][0], "margin|network"):
        share = _told(closed(samples[ours], samples[best], samples[BOUND]))
    elif BOUND in samples:
        total = {n: estimated(samples[n], "margin|network").value for n in (ours, best, BOUND)}
        apart = total[BOUND] - total[best]
        share = {"value": (total[ours] - total[best]) / apart if apart > 0 else None, "low": None, "high": None}
    return {"ours": ours, "best_rule": best, "gain": _told(gain), "closed": share}


def _told(found: Estimate) -> dict[str, float | None]:
    values = {"value": found.value, "low": found.low, "high": found.high}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def late_notes(plays: Mapping[Job, Mapping[str, Any]], policies: Sequence[str], replications: int) -> list[str]:
    """A note for each policy of ours that the rules engine stood in for."""
    found = []
    for name in policies:
        late = sum(int(plays[name, r].get("late", 0)) for r in range(replications))
        if late:
            found.append(
                f"{name}: {late} plans had no plan in their time, and the rules engine's were played; give --plan-seconds more"
            )
    return found


def title_of(policy: str) -> str:
    """What a policy is called for people."""
    return BOUND_TITLE if policy == BOUND else POLICIES[policy].title
