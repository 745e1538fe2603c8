"""What had to give, where, by how much, what it cost, and the cheapest mend."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.lots import Reason
from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.plan.account import Claimed, Overruns, Stocked, levels
from allocator.plan.frames import Frames
from allocator.program.structure import build_structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REASONS = ("no_stock", "out_of_reach", "short_supply", "capacity", "not_worth_it_or_too_late")
"""Why demand is unmet, as the stock and the limits tell."""
NO_STOCK, OUT_OF_REACH, SHORT_SUPPLY, CAPACITY, NOT_WORTH = range(5)
LOT_REASONS = tuple(f"lots_{reason.name.lower()}" for reason in Reason)
"""Why no lot could fill what was planned, by ``Reason``; they follow ``REASONS``."""


class Part(NamedTuple):
    """Exceptions of one kind, a list or array a column."""

    what: str
    item: list[str]
    where: list[str]
    date: NDArray[np.datetime64]
    amount: FloatArray
    unit: str
    cost: FloatArray
    mend: list[str]


class Exceptions:
    """Collects exceptions and the reasons of unmet demand."""

    def __init__(self, network: Network, prices: Prices, frames: Frames, tight: list[dict[str, Any]]) -> None:
        self.network, self.prices, self.frames, self.tight = network, prices, frames, tight
        lots, demand, claims = network.lots, network.demand, network.claims
        items, sites, _ = network.size
        self.supply = np.bincount(lots.item, weights=lots.quantity, minlength=items)
        self.demand = np.bincount(demand.item, weights=demand.quantity, minlength=items)
        self.upstream = build_structure(network, 1).downstream
        self.stocked = np.zeros((items, sites), dtype=bool)
        self.stocked[lots.item, lots.site] = True
        self.near = np.zeros((len(claims.channel), sites), dtype=bool)
        """(D, S) sites from which stock can come to a claim."""
        np.logical_or.at(self.near, claims.arc_claim, self.upstream[:, claims.arc_site].T)

    def table(self, claimed: Claimed, stocked: Stocked, overruns: Overruns) -> pd.DataFrame:
        """The exceptions table, dearest first."""
        parts = [
            *self._levels(stocked),
            *self._sites(overruns),
            self._locks(overruns),
            self._fill(overruns),
            self._demand(claimed),
        ]
        sizes = [len(part.mend) for part in parts]
        frame = pd.DataFrame(
            {
                "what": np.repeat([part.what for part in parts], sizes).astype(object),
                "item": [item for part in parts for item in part.item],
                "where": [where for part in parts for where in part.where],
                "date": np.concatenate([part.date for part in parts]),
                "amount": np.concatenate([part.amount for part in parts]),
                "unit": np.repeat([part.unit for part in parts], sizes).astype(object),
                "cost": np.concatenate([part.cost for part in parts]),
                "mend": [mend for part in parts for mend in part.mend],
            }
        )
        keys = ["cost", "what", "item", "where", "date"]
        return frame.sort_values(keys, ascending=[False, True, True, True, True], kind="stable").reset_index(drop=True)

    def _levels(self, stocked: Stocked) -> list[Part]:
        below, _, above = levels(self.network, stocked)
        return [
            self._level(stocked, "min_stock", below, "bring {0:g} more {1} to {2} by {3}, or lower its min_stock to {4:g}"),
            self._level(stocked, "max_stock", above, "ship {0:g} {1} on from {2}, or raise its max_stock to {4:g}"),
        ]  # fmt: skip

    def _level(self, stocked: Stocked, what: str, gap: FloatArray, mend: str) -> Part:
        network = self.network
        pair, t = np.nonzero(gap > 1e-9)
        item, amount = stocked.item[pair], gap[pair, t]
        items = [network.items[i] for i in item.tolist()]
        sites = [network.sites.codes[s] for s in stocked.site[pair].tolist()]
        date = self.frames.bucket_dates(t)
        rest = stocked.closing[pair, t].tolist()
        facts = zip(amount.tolist(), items, sites, date.astype("datetime64[D]").astype(str).tolist(), rest, strict=True)
        cost = amount * self.prices.level[item] * network.calendar.length[t]
        return Part(what, items, sites, date, amount, "units", cost, [mend.format(*row) for row in facts])

    def _sites(self, overruns: Overruns) -> list[Part]:
        days = self.network.calendar.length
        found = []
        for what, over, factor, mend in (
            ("storage", overruns.storage, days, "find {0:.4g} m3 more room at {1} on {2}, or ship stock on before"),
            ("inbound", overruns.inbound, np.ones_like(days), "move {0:.4g} m3 of receipts at {1} off {2}, or raise its inbound_volume"),
        ):  # fmt: skip
            site, t = np.nonzero(over > 0)
            amount, date = over[site, t], self.frames.bucket_dates(t)
            codes = [self.network.sites.codes[s] for s in site.tolist()]
            words = date.astype("datetime64[D]").astype(str).tolist()
            mends = [mend.format(*row) for row in zip(amount.tolist(), codes, words, strict=True)]
            cost = amount * self.prices.volume * factor[t]
            found.append(Part(what, [""] * len(codes), codes, date, amount, "m3", cost, mends))
        return found

    def _locks(self, overruns: Overruns) -> Part:
        locks, lanes, network = self.network.locks, self.network.lanes, self.network
        rows = np.flatnonzero(overruns.lock > 0)
        lane, item, amount = locks.lane[rows], locks.item[rows], overruns.lock[rows]
        items = [network.items[i] for i in item.tolist()]
        codes = [lanes.codes[k] for k in lane.tolist()]
        date = self.frames.dates(lanes.ship_day[lane, locks.bucket[rows]])
        mends = [
            f"bring {lack:g} more {code} to {origin} before {day}, or lower the lock to {rest:g}"
            for lack, code, (origin, _, _), day, rest in zip(
                amount.tolist(),
                items,
                codes,
                date.astype("datetime64[D]").astype(str).tolist(),
                (locks.least[rows] - amount).tolist(),
                strict=True,
            )
        ]
        where = [f"{origin} > {destination} ({mode})" for origin, destination, mode in codes]
        return Part("lock", items, where, date, amount, "units", amount * self.prices.lock[item], mends)

    def _fill(self, overruns: Overruns) -> Part:
        rows = np.flatnonzero(overruns.fill > 0)
        amount = overruns.fill[rows]
        names = [self.network.channels[c] for c in rows.tolist()]
        mends = [f"{self._best_resource(None) or 'bring in more stock'}, or lower min_fill of {name}" for name in names]
        date = self.frames.bucket_dates(np.full(len(rows), self.network.calendar.buckets - 1))
        return Part("min_fill", [""] * len(names), names, date, amount, "units", amount * self.prices.fill, mends)

    def _demand(self, claimed: Claimed) -> Part:
        """Demand that was priced as a must (an unmet_cost, or a firm order) and could not be met, a row an item, channel and zone."""
        n, claims = self.network, self.network.claims
        lack = claimed.lost.sum(axis=1) + claimed.backlog[:, -1] * claims.waits[claimed.claim]
        unmet = self.prices.unmet[claimed.item, claimed.claim]
        rows = np.flatnonzero((lack > 0) & ((unmet > 0) | claims.firm[claimed.claim]))
        item, claim, unmet = claimed.item[rows], claimed.claim[rows], unmet[rows]
        lost, backlog, waits = claimed.lost[rows], claimed.backlog[rows], claims.waits[claim]
        t = (lost + backlog * waits[:, None] > 0).argmax(axis=1)
        late = ((backlog + np.cumsum(lost, axis=1)) * n.calendar.length).sum(axis=1) * unmet
        cost = lost.sum(axis=1) * unmet + np.where(waits, late, 0.0)
        names = [f"{n.channels[c]}/{n.zones[z]}" for c, z in zip(claims.channel, claims.zone, strict=True)]
        return Part(
            "demand",
            [n.items[i] for i in item.tolist()],
            [names[d] for d in claim.tolist()],
            self.frames.bucket_dates(t),
            lack[rows],
            "units",
            cost,
            self.mends(item, claim),
        )

    def reasons(self, item: IntArray, claim: IntArray) -> IntArray:
        """(n,) why demand of an item and claim was unmet, a place in ``REASONS``."""
        reached = (self.stocked[item] & self.near[claim]).any(axis=1)
        nowhere = np.where(self.supply[item] <= 0, NO_STOCK, OUT_OF_REACH)
        enough = np.where(self._priced_claims[claim], CAPACITY, NOT_WORTH)
        here = np.where(self.supply[item] < self.demand[item], SHORT_SUPPLY, enough)
        return np.where(reached, here, nowhere)

    @cached_property
    def _priced_claims(self) -> NDArray[np.bool_]:
        """(D,) whether a priced limit lies on the way to a claim."""
        if not self.tight:
            return np.zeros(len(self.near), dtype=bool)
        return np.array([bool(self._priced(near)) for near in self.near])

    def _priced(self, near: NDArray[np.bool_]) -> list[dict[str, Any]]:
        codes = {self.network.sites.codes[s] for s in np.flatnonzero(near)}
        return [e for e in self.tight if e["site"] in codes or e["destination"] in codes]

    def mends(self, item: IntArray, claim: IntArray) -> list[str]:
        """The cheapest mend of unmet demand of each item and claim, in a planner's words."""
        known: dict[tuple[int, int, int], str] = {}
        texts = []
        for why, i, d in zip(self.reasons(item, claim).tolist(), item.tolist(), claim.tolist(), strict=True):
            # the same for all claims of an item, for all items of a claim, or for neither
            key = (why, -1 if why >= CAPACITY else i, -1 if why in (NO_STOCK, SHORT_SUPPLY) else d)
            if key not in known:
                known[key] = self._mend(why, i, d)
            texts.append(known[key])
        return texts

    def _mend(self, why: int, item: int, claim: int) -> str:
        n, code = self.network, self.network.items[item]
        if why in (NO_STOCK, SHORT_SUPPLY):
            lack = self.demand[item] - self.supply[item]
            return f"bring in {max(lack, 0):g} more {code}: stock and receipts are {self.supply[item]:g}, demand is {self.demand[item]:g}"
        if why == OUT_OF_REACH:
            sites = n.claims.arc_site[n.claims.arc_claim == claim]
            names = ", ".join(n.sites.codes[s] for s in sites[:3])
            return f"open a lane for {code} to {names}, or let a site that has it serve this demand"
        return (
            self._best_resource(claim)
            or "ship earlier, shorten the lead time, or accept the loss: no limit priced in this plan would win it back"
        )

    def _best_resource(self, claim: int | None) -> str | None:
        entries = self.tight if claim is None else self._priced(self.near[claim])
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
