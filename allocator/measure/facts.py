"""The facts every KPI is computed from: sums by channel and site, added up over runs of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.measure.capacity import USED, Use
from allocator.measure.codes import runs
from allocator.measure.days import Days, Floats, tally
from allocator.measure.demand import Claims, Wanted
from allocator.measure.moves import Coded, Run
from allocator.measure.service import SUMS, Fate, cycles, meet, shelves

if TYPE_CHECKING:
    from allocator.tables import Tables

PLACE = (
    "cycles",
    "kept",
    "wanted",
    "out",
    "held",
    "closing",
    "waste",
    "expired",
    "sold",
    "shipped",
    "received",
    "pushed",
)


@dataclass(frozen=True)
class Facts:
    """What a KPI may look at.

    Attributes
    ----------
    components : Mapping of str to float, [currency]
        The objective's components, which sum to it; margin earned is a negative one.
    baseline : Mapping of str to float or None
        KPIs of the baseline plan for the whole network, by name.
    days : Days
        The calendar.
    channel : DataFrame, [units]
        What became of demand, by channel: asked, served, late, lost, waiting.
    site : DataFrame
        By site: replenishment `cycles` and those `kept`; item-days with demand (`wanted`) and `out` of stock; mean
        stock (`held`), stock at the end (`closing`) and waste (`expired`) at cost; `waste` in units; units `sold` at
        cost; units `shipped` from there, `received` by shipments and those `pushed`.
    daily_cost : float, [currency/day]
        Value at cost of the units asked for.
    capacity : DataFrame
        Use and limit of every capacity and bucket.
    """

    components: Mapping[str, float]
    baseline: Mapping[str, float] | None
    days: Days
    channel: pd.DataFrame
    site: pd.DataFrame
    daily_cost: float
    capacity: pd.DataFrame

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
        claims = Claims(tables, days)
        coded = Coded(tables, {name: plan[name] for name in (*USED, "unmet")}, days, claims)
        sums, use = _Sums(coded), Use(coded)
        for first, stop in runs(len(claims.items), len(coded.sites) * days.count):
            run, wanted = coded.between(first, stop), claims.between(first, stop)
            use.add(run)
            sums.add(run, wanted, meet(wanted, run))
        channel = pd.DataFrame(sums.channel, index=claims.channels.list()).sort_index()
        site = pd.DataFrame(sums.site, index=coded.sites.list()).sort_index()
        return cls(components, baseline, days, channel, site, sums.asked / days.horizon, use.table())

    def met(self, what: str, level: str) -> pd.Series:
        """Give one column of `channel` for the network or by channel."""
        return _scoped(self.channel[what], level)

    def at(self, what: str, level: str) -> pd.Series:
        """Give one column of `site` for the network or by site."""
        return _scoped(self.site[what], level)


def _scoped(sums: pd.Series, level: str) -> pd.Series:
    return pd.Series({"network": float(sums.sum())}) if level == "network" else sums.add_prefix(f"{level}:")


class _Sums:
    """Sums by channel and by site."""

    def __init__(self, coded: Coded) -> None:
        self.coded = coded
        self.cost: Floats = np.nan_to_num(coded.tables.encoded("items")["unit_cost"].to_numpy().astype(np.float64))
        self.channel = {name: np.zeros(len(coded.claims.channels)) for name in SUMS}
        self.site = {name: np.zeros(len(coded.sites)) for name in PLACE}
        self.asked = 0.0

    def add(self, run: Run, wanted: Wanted, fate: Fate) -> None:
        """Add a run of items."""
        for name, amounts in fate.sums().items():
            self.channel[name] += tally(wanted.channel, amounts, len(self.channel[name]))
        self.asked += float(fate.asked.sum(axis=1) @ self.cost[wanted.item + run.first])
        self._add_shelves(run, wanted, fate)
        ships, sold = run.shipments, run.admissions
        self._to("sold", sold.site, sold.quantity * self.cost[sold.item + run.first])
        self._to("shipped", ships.origin, ships.quantity)
        self._to("received", ships.destination, ships.quantity)
        self._to("pushed", ships.destination, np.where(ships.pushed, ships.quantity, 0.0))

    def _add_shelves(self, run: Run, wanted: Wanted, fate: Fate) -> None:
        shelf, days = shelves(self.coded, run, wanted, fate), self.coded.days
        cost, waste = self.cost[shelf.item + run.first], shelf.waste.sum(axis=1)
        count, kept = cycles(shelf)
        self._to("cycles", shelf.site, count)
        self._to("kept", shelf.site, kept)
        self._to("wanted", shelf.site, (shelf.wanted @ days.length).astype(np.float64))
        self._to("out", shelf.site, (shelf.out @ days.length).astype(np.float64))
        self._to("held", shelf.site, shelf.stock @ days.length / days.horizon * cost)
        self._to("closing", shelf.site, shelf.stock[:, -1] * cost)
        self._to("waste", shelf.site, waste)
        self._to("expired", shelf.site, waste * cost)

    def _to(self, name: str, site: np.ndarray, amounts: Floats) -> None:
        self.site[name] += tally(site, amounts, len(self.site[name]))
