"""A finished comparison: its tables, its page, its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.comparison.sides import TABLES
from allocator.plan.publish import Kind, held, publish_again, staging, write_table

PLANS = "plans"
"""Folder of a comparison that keeps the plans it ran, by key."""
COMPARISON = Kind("comparison_id", "a comparison's folder", PLANS)


@dataclass(frozen=True)
class Comparison:
    """Plans side by side; each table is an attribute too (``comparison.kpis``).

    Attributes
    ----------
    tables : mapping of str to DataFrame
        cases, kpis, waterfall, movers, limits, allocations; the first case is the base of every difference.
    currency : str
    manifest : mapping
        Where each plan came from, options, versions, timings.
    exit_code : int
        0; 1 if an audit found a broken rule; 3 if a plan is outside its gap.
    """

    tables: Mapping[str, pd.DataFrame]
    currency: str
    manifest: Mapping[str, Any]
    exit_code: int = 0

    def __getattr__(self, name: str) -> pd.DataFrame:
        tables = self.__dict__.get("tables", {})
        if name in tables:
            frame: pd.DataFrame = tables[name]
            return frame
        raise AttributeError(f"a comparison has no table or attribute '{name}'; tables: {', '.join(TABLES)}")

    @property
    def base(self) -> str:
        """Label of the case that the others are compared with."""
        return str(self.tables["cases"]["case"].iloc[0])

    @property
    def best(self) -> str:
        """Label of the case whose plan is worth most; the first of those that tie."""
        cases = self.tables["cases"]
        return str(cases["case"].iloc[int(cases["value"].to_numpy().argmax())])

    def kpi(self, name: str, case: str) -> float:
        """One KPI of the whole network in one case."""
        frame = self.tables["kpis"]
        mine = frame[(frame["kpi"] == name) & (frame["scope"] == "network")]
        if case == self.base:
            return float(mine["base"].iloc[0])
        return float(mine.loc[mine["case"] == case, "value"].iloc[0])

    def page(self) -> str:
        """The comparison as one HTML page."""
        from allocator.comparison.page import render

        return render(self)

    def text(self) -> str:
        """The comparison in a few lines."""
        from allocator.comparison.terminal import summary

        return summary(self)

    def _repr_html_(self) -> str:
        from allocator.comparison.page import card

        return card(self)

    def write(self, path: str | Path) -> Path:
        """Publish the comparison's folder atomically; plans kept in it before stay.

        Raises
        ------
        OutputHeldError
            When another run holds the folder.
        NotAPlanError
            When the path holds something else than a comparison.
        OSError
            When the disk refuses; what was there stays.
        """
        target = Path(path)
        with held(target, COMPARISON):
            return self.publish(target)

    def publish(self, target: Path) -> Path:
        """Publish into a folder this process already holds."""
        with staging(target) as folder:
            for name in TABLES:
                write_table(self.tables[name], folder / f"{name}.parquet")
            (folder / "comparison.html").write_text(self.page(), encoding="utf-8")
            publish_again(folder, target, self.manifest, COMPARISON)
        return target


def comparison_id(tables: Mapping[str, pd.DataFrame]) -> str:
    """Hash of the cases compared."""
    cases = tables["cases"][["case", "plan_id", "input_hash"]]
    return hashlib.sha256(json.dumps(cases.to_dict("records"), sort_keys=True).encode()).hexdigest()[:32]
