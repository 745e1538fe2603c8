"""The facts every KPI is computed from: worked out once from the network's tables and the plan's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.measure.capacity import capacity_use
from allocator.measure.days import Days
from allocator.measure.service import Service, Shelves, cycles, serve, shelves

if TYPE_CHECKING:
    from allocator.tables import Tables


@dataclass(frozen=True)
class Facts:
    """What a KPI may look at.

    Attributes
    ----------
    tables : Tables
        The network.
    plan : Mapping of str to DataFrame
        The plan's tables.
    components : Mapping of str to float, [currency]
        The objective's components, which sum to it; margin earned is a negative one.
    baseline : Mapping of str to float or None
        KPIs of the baseline plan for the whole network, by name.
    days : Days
        The calendar.
    service : Service
        What became of demand.
    shelf : Shelves
        Stock beside demand, by item and site.
    loops : DataFrame
        Replenishment cycles of each row of `shelf.places`: cycles, kept.
    capacity : DataFrame
        Use and limit of every capacity and bucket.
    unit_cost : Series, [currency/unit]
        Cost by item.
    """

    tables: Tables
    plan: Mapping[str, pd.DataFrame]
    components: Mapping[str, float]
    baseline: Mapping[str, float] | None
    days: Days
    service: Service
    shelf: Shelves
    loops: pd.DataFrame
    capacity: pd.DataFrame
    unit_cost: pd.Series

    @classmethod
    def of(
        cls,
        tables: Tables,
        plan: Mapping[str, pd.DataFrame],
        components: Mapping[str, float],
        baseline: Mapping[str, float] | None = None,
    ) -> Facts:
        """Work the facts out."""
        days = Days.of(tables)
        service = serve(tables, plan, days)
        shelf = shelves(tables, plan, service, days)
        cost = tables.frame("items").set_index("item")["unit_cost"].astype(float)
        capacity = capacity_use(tables, plan, days)
        return cls(tables, plan, components, baseline, days, service, shelf, cycles(shelf), capacity, cost)

    def codes(self, level: str) -> list[str]:
        """List every code of a scope level (`channel` or `site`)."""
        return sorted(self.tables.frame(f"{level}s")[level].astype(str))

    def total(self, amounts: pd.Series, by: pd.Series | None, level: str) -> pd.Series:
        """Sum amounts for the network, or for every code of a level (0 where it has none).

        Parameters
        ----------
        amounts : Series
            What is summed.
        by : Series
            The code of each amount; not looked at for the network.
        level : str
            `network`, `channel` or `site`.
        """
        if level == "network" or by is None:
            return pd.Series({"network": float(amounts.sum())})
        sums = amounts.groupby(by.to_numpy()).sum()
        return sums.reindex(self.codes(level), fill_value=0.0).astype(float).add_prefix(f"{level}:")

    def flow(self, table: str, level: str, column: str | None = None) -> pd.Series:
        """Sum the quantity of a plan's table, by the code in `column` (default: the level's own name)."""
        frame = self.plan[table]
        by = None if level == "network" else frame[column or level]
        return self.total(frame["quantity"].astype(float), by, level)

    def met(self, what: str, level: str) -> pd.Series:
        """Sum one column of `Service.by` (asked, served, late, lost, waiting) for the network or by channel."""
        sums = self.service.by(None if level == "network" else level)[what].astype(float)
        if level == "network":
            return pd.Series({"network": float(sums.iloc[0])})
        return sums.reindex(self.codes(level), fill_value=0.0).add_prefix(f"{level}:")

    def worth(self, items: pd.Series) -> np.ndarray:
        """Give the unit cost of each item in a column, [currency/unit]."""
        return np.asarray(items.map(self.unit_cost).fillna(0.0), dtype=np.float64)
