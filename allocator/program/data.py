"""An item's data as arrays: the symbols of its block and the bounds of its variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.demand import last_bucket
from allocator.network.network import JIT, NEVER, PULL, Decided, Network
from allocator.network.outlooks import draw_claims
from allocator.network.prices import Prices
from allocator.program.classes import Classes, Reach, build_reach
from allocator.program.cover import Cover, build_cover
from allocator_models.block import VARIABLES
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROOM = 1 + 2**-6
"""What can ever be there bounds what is moved, sold and kept, with this much room: a bound that all there is just fills
takes a part of the price of the next unit."""


@dataclass(frozen=True)
class ItemData:
    """Data of G items of one template.

    Attributes
    ----------
    items : (G,) int
    data : dict
        (G, ...) arrays, shapes of :func:`allocator_models.block.data_shapes` behind the item axis; with K > 1 outlooks (G, K, ...) for
        what differs between them.
    lower, upper : dict
        (G, n) bounds of each variable, in the order of its index set; with K > 1 outlooks (G, K n), outlook by outlook. [units]
    integer : dict
        (G, n) bool, for ``packs`` and ``moved`` only.
    """

    items: IntArray
    data: dict[str, FloatArray]
    lower: dict[str, FloatArray]
    upper: dict[str, FloatArray]
    integer: dict[str, NDArray[np.bool_]]


def build_items(network: Network, structure: Structure, classes: Classes, prices: Prices, items: IntArray) -> ItemData:
    """Data and bounds of a group of items with ``structure.classes`` classes."""
    reach = build_reach(network, classes, items, structure.classes)
    cover = build_cover(network, structure, items)
    if structure.outlooks == 1:
        builder = _Builder(network, structure, classes, prices, items, reach, cover)
        return ItemData(items, builder.data(), *builder.bounds(), builder.integers())
    each = [
        _Builder(network, structure, classes, prices, items, reach, cover, path) for path in draw_claims(network, items)
    ]
    data = each[0].data() | {
        "demand": np.stack([one.demand for one in each], axis=1),
        "lapsed": np.stack([one.lapsed for one in each], axis=1),
    }
    bounds = [one.bounds() for one in each]
    lower, upper = (
        {name: np.concatenate([pair[side][name] for pair in bounds], axis=1) for name in bounds[0][side]}
        for side in (0, 1)
    )
    return ItemData(items, data, lower, upper, each[0].integers())


class _Builder:
    """One outlook of a group of items; ``path`` (G, D, T) is its forecast demand, the mean's where there is none."""

    def __init__(
        self,
        network: Network,
        structure: Structure,
        classes: Classes,
        prices: Prices,
        items: IntArray,
        reach: Reach,
        cover: Cover,
        path: FloatArray | None = None,
    ) -> None:
        self.network, self.structure, self.prices, self.items = network, structure, prices, items
        self.reach, self.cover = reach, cover
        self.most = reach.total * ROOM
        self.expiry = np.stack([classes.expiry[i] for i in items])
        self.row = np.full(len(network.items), -1, dtype=np.int64)
        self.row[items] = np.arange(len(items))
        self.days = network.calendar.length.astype(float)
        self.window = max(structure.committed, 1)
        self._demand(path)
        self._locks()

    def _demand(self, path: FloatArray | None) -> None:
        network, x = self.network, self.structure
        g, d, t = len(self.items), x.claims, x.buckets
        entries = network.demand
        row = self.row[entries.item]
        mine = (row >= 0) if path is None else (row >= 0) & network.claims.firm[entries.claim]
        row, claim, bucket, last = row[mine], entries.claim[mine], entries.bucket[mine], entries.last[mine]
        quantity = entries.quantity[mine]
        self.demand = np.zeros((g, d, t))
        np.add.at(self.demand, (row, claim, bucket), quantity)
        ended = np.zeros((g, d, t + 1))
        np.add.at(ended, (row, claim, np.minimum(last, t)), quantity)
        if path is not None:
            self.demand += path
            until = np.minimum(self._forecast_last(), t)
            np.add.at(ended, (np.arange(g)[:, None, None], np.arange(d)[None, :, None], until[None]), path)
        self.lapsed = np.cumsum(ended[:, :, :t], axis=2)
        self.waiting = np.maximum(np.cumsum(self.demand, axis=2) - self.lapsed, 0.0)

    def _forecast_last(self) -> IntArray:
        """(D, T) last bucket in which forecast demand of a bucket may be served."""
        claims, calendar = self.network.claims, self.network.calendar
        bucket = np.broadcast_to(np.arange(calendar.buckets), (len(claims.channel), calendar.buckets))
        wait = self.network.outlooks.wait[claims.channel][:, None]
        return last_bucket(calendar, bucket, wait, claims.waits[:, None])

    def _locks(self) -> None:
        x, locks = self.structure, self.network.locks
        shape = (len(self.items), x.lanes, x.buckets)
        self.lock_min, self.lock_max = np.zeros(shape), np.full(shape, np.inf)
        self.fixed, self.held = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        row = self.row[locks.item]
        mine = row >= 0
        at = (row[mine], locks.lane[mine], locks.bucket[mine])
        self.lock_min[at], self.lock_max[at] = locks.least[mine], locks.most[mine]
        self.fixed[at], self.held[at] = locks.fixed[mine], True

    def data(self) -> dict[str, FloatArray]:
        """Symbols of the block."""
        n, x, p, i = self.network, self.structure, self.prices, self.items
        g = len(i)
        policies, lanes = n.policies, n.lanes
        step = np.where(n.quantum[i] > 0, n.quantum[i], 1.0)[:, None, None]
        pack = np.where(self.fixed[:, :, : self.window], step, lanes.pack[i][:, :, None])
        least = np.where(self.fixed[:, :, : self.window], 0.0, lanes.min_quantity[i][:, :, None])
        claims = n.claims
        hold = n.unit_cost[i][:, None] * n.sites.holding_rate[None, :] / 365.0
        waits = claims.waits[None, :]
        unmet = p.unmet[i] + p.premium[i]
        late = np.where(waits, unmet, 0.0)
        # what is lost pays its lateness to the end of the horizon
        rest = np.cumsum(self.days[::-1])[::-1]
        level = p.level[i][:, None] * self.days[None, :]
        return {
            "supply": self.reach.supply,
            "demand": self.demand,
            "lapsed": self.lapsed,
            "pack_size": np.where(pack > 0, pack, 1.0),
            "min_quantity": least,
            "reach": np.repeat(self.most.sum(axis=1)[:, None, : self.window], x.lanes, axis=1),
            "lock_min": self.lock_min,
            "lock_max": self.lock_max,
            "previous": self.data_previous(),
            "min_stock": policies.min_stock[i],
            "safety_stock": policies.safety_stock[i],
            "max_stock": policies.max_stock[i],
            "called": self._called(),
            "is_pull": (lanes.method[i] == PULL).astype(float),
            "is_jit": (lanes.method[i] == JIT).astype(float),
            "unit_volume": n.unit_volume[i],
            "ship_cost": lanes.freight[i],
            "serve_cost": claims.arc_cost[None, :] - n.margin[i][:, claims.channel[claims.arc_claim]],
            "hold_cost": hold[:, :, None] * self.days[None, None, :],
            "waste_cost": n.unit_cost[i],
            "lost_cost": unmet[:, :, None] + late[:, :, None] * rest[None, None, :],
            "late_cost": late[:, :, None] * self.days[None, None, :],
            "min_cost": level,
            "safety_cost": p.safety[i][:, :, None] * self.days[None, None, :],
            "max_cost": level,
            "lock_cost": p.lock[i],
            "change_cost": np.full(g, n.change_cost),
            "cover_level": self.cover.level,
            "cover_cost": self.cover.cost,
        }

    def _called(self) -> FloatArray:
        x = self.structure
        called = np.zeros((len(self.items), x.sites))
        for site, claims in x.callers.items():
            firm = [d for d in claims if x.claim_firm[d]]
            called[:, site] = self.demand[:, firm, :].sum(axis=(1, 2))
        return called

    def bounds(self) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
        """Lower and upper bounds of every variable, in the order of its index set."""
        x = self.structure
        total = self.most.sum(axis=1)
        everything = total[:, -1]
        upper: dict[str, FloatArray] = {
            "ship": self._ship_upper(),
            "serve": self._serve_upper(),
            "lost": np.where(x.claim_waits[None, :, None], self.lapsed, self.demand),
            "backlog": self.waiting[:, x.claim_waits, :],
            "lock_short": self._at(self.lock_min, "lock_short"),
        }
        stock, waste = self._stock_upper()
        upper["stock"], upper["waste"] = stock, waste
        g = len(self.items)
        room = np.where(np.isfinite(self.network.policies.max_stock[self.items]), everything[:, None], 0.0)
        upper["below_min"] = self._sites(self.network.policies.min_stock[self.items], x.policy_min)
        upper["below_safety"] = self._sites(self.network.policies.safety_stock[self.items], x.policy_safety)
        upper["above_max"] = self._sites(room, x.policy_max)
        packs = self._departing("packs")
        upper["packs"] = self._pack_upper(packs)
        keys = self._departing("moved")
        upper["moved"] = np.ones((g, len(keys)))
        backlog = np.array([self._calls_upper(s, t) for s, t in VARIABLES["calls"](x)]).reshape(-1, g).T
        upper["calls"] = backlog
        width = np.repeat(everything[:, None], len(list(VARIABLES["up"](x))), axis=1)
        previous = self._at(self.data_previous(), "down")
        upper["up"], upper["down"] = width + 1.0, previous
        upper["uncovered"] = self.cover.level[:, x.covered]
        flat = {name: np.reshape(values, (g, -1)) for name, values in upper.items()}
        lower = {name: np.zeros_like(values) for name, values in flat.items()}
        if len(keys):
            lane, t = keys[:, 0], keys[:, 1]
            needed = self.network.lanes.min_quantity[self.items][:, lane] > 0
            lower["moved"] = np.where(needed & ~self.fixed[:, lane, t], 0.0, 1.0)
        if self.network.decided is not None:
            self._decide(self.network.decided, lower["ship"], flat["ship"])
        return lower, flat

    def _decide(self, decided: Decided, lower: FloatArray, upper: FloatArray) -> None:
        """Shipments of the commit window are what was decided, in the classes it was decided in."""
        x = self.structure
        pairs = np.array(x.departures, dtype=np.int64).reshape(-1, 2)
        place = np.full((x.lanes, x.buckets), -1, dtype=np.int64)
        place[pairs[:, 0], pairs[:, 1]] = np.arange(len(pairs))
        committed = np.repeat(pairs[:, 1] < x.committed, x.classes)
        upper[:, committed] = 0.0
        row = self.row[decided.item]
        mine = row >= 0
        row = row[mine]
        cls = np.argmax(self.expiry[row] == decided.expiry[mine][:, None], axis=1)
        at = (row, place[decided.lane[mine], decided.bucket[mine]] * x.classes + cls)
        quantity = decided.quantity[mine]
        upper[at] = quantity
        if decided.exact:
            # what moves in no quanta was found to a tolerance: it may be that much less
            slack = np.where(self.network.quantum[decided.item[mine]] > 0, 0.0, 1e-7 * np.maximum(1.0, quantity))
            lower[at] = np.maximum(quantity - slack, 0.0)

    def data_previous(self) -> FloatArray:
        """(G, L, T) quantity of the previous plan."""
        n, x = self.network, self.structure
        previous = np.zeros((len(self.items), x.lanes, x.buckets))
        row = self.row[n.previous.item]
        mine = row >= 0
        previous[row[mine], n.previous.lane[mine], n.previous.bucket[mine]] = n.previous.quantity[mine]
        return previous

    def integers(self) -> dict[str, NDArray[np.bool_]]:
        """Which packs and yes/no variables are whole numbers."""
        keys = self._departing("packs")
        lanes, i = self.network.lanes, self.items
        step = self.network.quantum[i][:, None]
        whole = (lanes.pack[i] > step * (1 + 1e-12))[:, keys[:, 0]] & ~self.fixed[:, keys[:, 0], keys[:, 1]]
        moved = self._departing("moved")
        return {"packs": whole, "moved": np.ones((len(i), len(moved)), dtype=bool)}

    def _departing(self, variable: str) -> IntArray:
        return np.array(list(VARIABLES[variable](self.structure)), dtype=np.int64).reshape(-1, 2)

    def _at(self, values: FloatArray, variable: str) -> FloatArray:
        keys = self._departing(variable)
        return values[:, keys[:, 0], keys[:, 1]]

    def _sites(self, values: FloatArray, mask: NDArray[np.bool_]) -> FloatArray:
        return np.repeat(values[:, mask][:, :, None], self.structure.buckets, axis=2)

    def _ship_upper(self) -> FloatArray:
        x, lanes = self.structure, self.network.lanes
        pairs = np.array(x.departures, dtype=np.int64).reshape(-1, 2)
        lane, t = pairs[:, 0], pairs[:, 1]
        there = self.reach.first[:, :, lanes.origin[lane]] <= t
        lives = self.expiry[:, :, None] >= lanes.arrive_day[lane, t][None, None, :]
        allowed = lanes.open[self.items][:, lane] & ((lanes.arrival[lane, t] >= 0)[None, :] | self.held[:, lane, t])
        most = np.minimum(self.most[:, :, t], self.lock_max[:, lane, t][:, None, :])
        return np.where(there & lives & allowed[:, None, :], most, 0.0).transpose(0, 2, 1)

    def _serve_upper(self) -> FloatArray:
        x, claims = self.structure, self.network.claims
        site = claims.arc_site
        first = self.network.calendar.first
        need = first[None, :] + (claims.arc_delivery + claims.arc_life)[:, None]
        lives = self.expiry[:, None, :, None] >= need[None, :, None, :]
        there = self.reach.first[:, :, site].transpose(0, 2, 1)[:, :, :, None] <= np.arange(x.buckets)
        open_demand = (
            self.demand
            + np.concatenate([np.zeros_like(self.waiting[:, :, :1]), self.waiting[:, :, :-1]], axis=2)
            * claims.waits[None, :, None]
        )
        most = np.minimum(open_demand[:, claims.arc_claim, None, :], self.most[:, None, :, :])
        return np.where(lives & there, most, 0.0)

    def _stock_upper(self) -> tuple[FloatArray, FloatArray]:
        x = self.structure
        last = self.network.calendar.last
        keeps = (self.expiry[:, :, None] > last) | (self.expiry == NEVER)[:, :, None]
        there = self.reach.first.transpose(0, 2, 1)[:, :, :, None] <= np.arange(x.buckets)
        most = np.where(there, self.most[:, None, :, :], 0.0)
        return np.where(keeps[:, None], most, 0.0), np.where(keeps[:, None], 0.0, most)

    def _pack_upper(self, keys: IntArray) -> FloatArray:
        lane, t = keys[:, 0], keys[:, 1]
        lanes = self.network.lanes
        total = self.most.sum(axis=1)[:, t]
        step = np.where(self.network.quantum[self.items] > 0, self.network.quantum[self.items], 1.0)[:, None]
        pack = np.where(self.fixed[:, lane, t], step, lanes.pack[self.items][:, lane])
        return np.where(lanes.open[self.items][:, lane], np.ceil(total / np.where(pack > 0, pack, 1.0)), 0.0)

    def _calls_upper(self, site: int, bucket: int) -> FloatArray:
        x = self.structure
        callers = [d for d in x.callers[site] if x.claim_waits[d] and not x.claim_firm[d]]
        if bucket == 0 or not callers:
            return np.zeros(len(self.items))
        return np.asarray(self.waiting[:, callers, bucket - 1].sum(axis=1))
