"""What had to give, where, by how much, what it cost, and the cheapest mend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.plan.account import Claimed, Overruns, Stocked, levels
from allocator.plan.frames import Frames
from allocator.program.structure import build_structure

IntArray = NDArray[np.int64]

COLUMNS = ["what", "item", "where", "date", "amount", "unit", "cost", "mend"]


class Exceptions:
    """Collects exceptions and the reasons of unmet demand."""

    def __init__(self, network: Network, prices: Prices, frames: Frames, tight: list[dict[str, Any]]) -> None:
        self.network, self.prices, self.frames, self.tight = network, prices, frames, tight
        lots = network.lots
        items = len(network.items)
        self.supply = np.bincount(lots.item, weights=lots.quantity, minlength=items)
        demand = network.demand
        self.demand = np.bincount(demand.item, weights=demand.quantity, minlength=items)
        self.upstream = build_structure(network, 1).downstream
        self.known: dict[tuple[int, int], str] = {}

    def table(self, claimed: Claimed, stocked: Stocked, overruns: Overruns) -> pd.DataFrame:
        """The exceptions table, dearest first."""
        parts = [
            *self._levels(stocked),
            *self._sites(overruns),
            self._locks(overruns),
            self._fill(overruns),
            self._demand(claimed),
        ]
        rows = [row for part in parts for row in part]
        frame = pd.DataFrame(rows, columns=COLUMNS)
        frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[s]")
        frame = frame.astype({"amount": float, "cost": float})
        keys = ["cost", "what", "item", "where", "date"]
        return frame.sort_values(keys, ascending=[False, True, True, True, True], kind="stable").reset_index(drop=True)

    def _levels(self, stocked: Stocked) -> list[list[list[Any]]]:
        below, _, above = levels(self.network, stocked)
        days = self.network.calendar.length
        found = []
        for what, gap, mend in (
            (
                "min_stock",
                below,
                "bring {amount:g} more {item} to {site} by {date}, or lower its min_stock to {rest:g}",
            ),
            ("max_stock", above, "ship {amount:g} {item} on from {site}, or raise its max_stock to {rest:g}"),
        ):
            rows = []
            for pair, t in np.argwhere(gap > 1e-9):
                item, site = int(stocked.item[pair]), int(stocked.site[pair])
                amount = float(gap[pair, t])
                date = self.frames.bucket_dates(np.array([t]))[0]
                text = mend.format(
                    amount=amount,
                    item=self.network.items[item],
                    site=self.network.sites.codes[site],
                    date=str(date)[:10],
                    rest=float(stocked.closing[pair, t]),
                )
                cost = amount * float(self.prices.level[item]) * int(days[t])
                rows.append(
                    [what, self.network.items[item], self.network.sites.codes[site], date, amount, "units", cost, text]
                )
            found.append(rows)
        return found

    def _sites(self, overruns: Overruns) -> list[list[list[Any]]]:
        days = self.network.calendar.length
        found = []
        for what, over, factor, mend in (
            ("storage", overruns.storage, days, "find {amount:.4g} m3 more room at {site} on {date}, or ship stock on before"),
            ("inbound", overruns.inbound, np.ones_like(days), "move {amount:.4g} m3 of receipts at {site} off {date}, or raise its inbound_volume"),
        ):  # fmt: skip
            rows = []
            for site, t in np.argwhere(over > 0):
                amount = float(over[site, t])
                date = self.frames.bucket_dates(np.array([t]))[0]
                code = self.network.sites.codes[int(site)]
                text = mend.format(amount=amount, site=code, date=str(date)[:10])
                rows.append([what, "", code, date, amount, "m3", amount * self.prices.volume * int(factor[t]), text])
            found.append(rows)
        return found

    def _locks(self, overruns: Overruns) -> list[list[Any]]:
        locks, lanes = self.network.locks, self.network.lanes
        rows = []
        for k in np.flatnonzero(overruns.lock > 0):
            lane, item = int(locks.lane[k]), int(locks.item[k])
            origin, destination, mode = lanes.codes[lane]
            amount = float(overruns.lock[k])
            date = self.frames.dates(lanes.ship_day[lane : lane + 1, int(locks.bucket[k])])[0]
            mend = f"bring {amount:g} more {self.network.items[item]} to {origin} before {str(date)[:10]}, or lower the lock to {locks.least[k] - amount:g}"
            cost = amount * float(self.prices.lock[item])
            rows.append(
                [
                    "lock",
                    self.network.items[item],
                    f"{origin} > {destination} ({mode})",
                    date,
                    amount,
                    "units",
                    cost,
                    mend,
                ]
            )
        return rows

    def _fill(self, overruns: Overruns) -> list[list[Any]]:
        date = self.frames.bucket_dates(np.array([self.network.calendar.buckets - 1]))[0]
        rows = []
        for c in np.flatnonzero(overruns.fill > 0):
            amount = float(overruns.fill[c])
            mend = (
                f"{self._best_resource(None) or 'bring in more stock'}, or lower min_fill of {self.network.channels[c]}"
            )
            rows.append(
                ["min_fill", "", self.network.channels[c], date, amount, "units", amount * self.prices.fill, mend]
            )
        return rows

    def _demand(self, claimed: Claimed) -> list[list[Any]]:
        """Demand that was priced as a must (an unmet_cost, or a firm order) and could not be met, a row an item, channel and zone."""
        n = self.network
        missing = claimed.lost.sum(axis=1) + claimed.backlog[:, -1] * n.claims.waits[claimed.claim]
        unmet = self.prices.unmet[claimed.item, claimed.claim]
        must = (missing > 0) & ((unmet > 0) | n.claims.firm[claimed.claim])
        rows = []
        for k in np.flatnonzero(must):
            item, claim = int(claimed.item[k]), int(claimed.claim[k])
            short = claimed.lost[k] + claimed.backlog[k] * n.claims.waits[claim]
            t = int(np.flatnonzero(short > 0)[0])
            where = f"{n.channels[n.claims.channel[claim]]}/{n.zones[n.claims.zone[claim]]}"
            cost = float(claimed.lost[k].sum() * unmet[k])
            if n.claims.waits[claim]:
                late = claimed.backlog[k] + np.cumsum(claimed.lost[k])
                cost += float((late * n.calendar.length).sum() * unmet[k])
            date = self.frames.bucket_dates(np.array([t]))[0]
            rows.append(
                ["demand", n.items[item], where, date, float(missing[k]), "units", cost, self.mend(item, claim)]
            )
        return rows

    def reason(self, claimed: Claimed) -> Any:
        """Function of rows of ``claimed`` and buckets that names why demand was unmet."""

        def reasons(rows: IntArray, bucket: IntArray) -> NDArray[np.object_]:
            return np.array(
                [self._reason(int(claimed.item[row]), int(claimed.claim[row])) for row in rows], dtype=object
            )

        return reasons

    def _reason(self, item: int, claim: int) -> str:
        key = (item, claim)
        if key not in self.known:
            self.known[key] = self._find_reason(item, claim)
        return self.known[key]

    def _find_reason(self, item: int, claim: int) -> str:
        n = self.network
        sites = n.claims.arc_site[n.claims.arc_claim == claim]
        lots = n.lots
        near = np.any(self.upstream[:, sites], axis=1)
        mine = (lots.item == item) & near[lots.site]
        if not mine.any():
            return "no_stock" if self.supply[item] <= 0 else "out_of_reach"
        if self.supply[item] < self.demand[item]:
            return "short_supply"
        return "capacity" if self._priced(sites) else "not_worth_it_or_too_late"

    def _priced(self, sites: IntArray) -> list[dict[str, Any]]:
        near = {self.network.sites.codes[s] for s in np.flatnonzero(np.any(self.upstream[:, sites], axis=1))}
        return [e for e in self.tight if e["site"] in near or e["destination"] in near]

    def mend(self, item: int, claim: int) -> str:
        """The cheapest mend of unmet demand, in a planner's words."""
        n = self.network
        sites = n.claims.arc_site[n.claims.arc_claim == claim]
        reason = self._reason(item, claim)
        code = n.items[item]
        if reason in ("no_stock", "short_supply"):
            lack = self.demand[item] - self.supply[item]
            return f"bring in {max(lack, 0):g} more {code}: stock and receipts are {self.supply[item]:g}, demand is {self.demand[item]:g}"
        if reason == "out_of_reach":
            names = ", ".join(n.sites.codes[s] for s in sites[:3])
            return f"open a lane for {code} to {names}, or let a site that has it serve this demand"
        best = self._best_resource(sites)
        return (
            best
            or "ship earlier, shorten the lead time, or accept the loss: no limit priced in this plan would win it back"
        )

    def _best_resource(self, sites: IntArray | None) -> str | None:
        entries = self.tight if sites is None else self._priced(sites)
        if not entries:
            return None
        best = entries[0]
        place = best["site"] or (
            f"{best['origin']} > {best['destination']} ({best['mode']})" if best["origin"] else best["channel"]
        )
        when = f" on {best['date']}" if best["date"] else ""
        names = {
            "lane_volume": "daily_volume of lane",
            "vehicles": "vehicles of lane",
            "admission": "admission limit at",
            "min_fill": "min_fill of",
        }
        what = names.get(best["resource"], f"{best['resource'].replace('_', ' ')} capacity of")
        return f"raise {what} {place}{when}: each {best['unit'].removesuffix('s')} more is worth {best['price']:.4g}"
