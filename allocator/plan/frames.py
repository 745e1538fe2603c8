"""Coded results to the plan's tables (DESIGN section 3, docs/semantics.md)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.lots import Rule
from allocator.network.network import METHODS, NEVER, Network
from allocator.network.prices import Prices
from allocator.plan.account import Claimed, Stocked, levels
from allocator.plan.moves import Moved

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Texts = NDArray[np.object_]

STORE = 3
SOURCES = (0, 1)
"""Kinds of sites that goods start from: supplier, plant."""


def echelons(network: Network) -> IntArray:
    """(S,) lanes between each site and its nearest source: a supplier or plant, else a site that no lane leads to.

    Sites that no source reaches are one echelon behind all others.
    """
    lanes, sites = network.lanes, len(network.sites.codes)
    source = np.isin(network.sites.kind, SOURCES)
    if not source.any():
        source = ~np.isin(np.arange(sites), lanes.destination)
    hops = np.where(source, 0, sites)
    for _ in range(sites):
        wider = hops.copy()
        np.minimum.at(wider, lanes.destination, np.minimum(hops[lanes.origin] + 1, sites))
        if (wider == hops).all():
            break
        hops = wider
    return hops


class Frames:
    """Builds each table of a plan from its coded form."""

    def __init__(self, network: Network, moved: Moved) -> None:
        self.network, self.moved = network, moved
        lanes = network.lanes
        self.items = np.array(network.items, dtype=object)
        self.sites = np.array(network.sites.codes, dtype=object)
        self.channels = np.array(network.channels, dtype=object)
        self.zones = np.array(network.zones, dtype=object)
        self.labels = np.array(network.claims.label, dtype=object)
        self.modes = np.array([code[2] for code in lanes.codes], dtype=object)

    def dates(self, day: IntArray) -> NDArray[np.datetime64]:
        """Dates of day numbers, at second precision as pandas keeps them."""
        return self.network.calendar.date(day).astype("datetime64[s]")

    def bucket_dates(self, bucket: IntArray) -> NDArray[np.datetime64]:
        """First dates of buckets."""
        return self.dates(self.network.calendar.first[bucket])

    def shipments(self) -> pd.DataFrame:
        """One row an item, lane and ship date."""
        n, ships = self.network, self.moved.shipments
        lanes = n.lanes
        way, t = ships.way, ships.bucket
        pack = lanes.pack[ships.item, way]
        frame = pd.DataFrame(
            {
                "item": self.items[ships.item],
                "origin": self.sites[lanes.origin[way]],
                "destination": self.sites[lanes.destination[way]],
                "mode": self.modes[way],
                "ship_date": self.dates(lanes.ship_day[way, t]),
                "arrive_date": self.dates(lanes.arrive_day[way, t]),
                "quantity": self.moved.shipped,
                "packs": self.moved.shipped / np.where(pack > 0, pack, 1.0),
                "method": self.methods(),
                "committed": t < n.calendar.committed,
            }
        )
        return frame[frame["quantity"] > 0].reset_index(drop=True)

    def methods(self) -> NDArray[np.object_]:
        """How each shipment is to be read: by its lane's method, and on auto lanes by what called for it.

        A lane of method auto carries ``rebalance`` out of a store or to a site no farther from the sources than the origin, ``pull`` when
        open firm demand of the destination covers it, ``push`` otherwise.
        """
        n, ships = self.network, self.moved.shipments
        lanes, kind = n.lanes, n.sites.kind
        method = lanes.method[ships.item, ships.way]
        hops = echelons(n)
        origin, destination = lanes.origin[ships.way], lanes.destination[ships.way]
        back = (kind[origin] == STORE) | (hops[destination] <= hops[origin])
        names = np.array(METHODS, dtype=object)[method]
        auto = method == 0
        called = self._called()
        chosen = np.where(back, "rebalance", np.where(called, "pull", "push"))
        return np.where(auto, chosen, names)

    def _called(self) -> NDArray[np.bool_]:
        """Whether open firm demand of the destination, due from the arrival on, covers each shipment."""
        n, ships = self.network, self.moved.shipments
        claims, demand = n.claims, n.demand
        firm = claims.firm[demand.claim]
        _, sites, buckets = n.size
        if not firm.any():
            return np.zeros(len(ships.item), dtype=bool)
        item, claim, bucket = demand.item[firm], demand.claim[firm], demand.bucket[firm]
        quantity = demand.quantity[firm]
        rows = [np.flatnonzero(claims.arc_claim == d) for d in range(len(claims.channel))]
        counts = np.array([len(rows[d]) for d in claim])
        site = claims.arc_site[np.concatenate([rows[d] for d in claim])] if len(claim) else np.empty(0, dtype=np.int64)
        frame = pd.DataFrame(
            {
                "key": np.repeat(item, counts) * sites + site,
                "bucket": np.repeat(bucket, counts),
                "quantity": np.repeat(quantity, counts),
            }
        )
        arrival = n.lanes.arrival[ships.way, ships.bucket]
        wanted = ships.item * sites + n.lanes.destination[ships.way]
        table = frame.groupby(["key", "bucket"])["quantity"].sum().unstack(fill_value=0)
        table = table.reindex(columns=range(buckets), fill_value=0.0)
        later = table.iloc[:, ::-1].cumsum(axis=1).iloc[:, ::-1]
        at = later.index.get_indexer(pd.Index(wanted))
        values = later.to_numpy()[at, np.maximum(arrival, 0)]
        return np.asarray((at >= 0) & (arrival >= 0) & (values >= self.moved.shipped))

    def admissions(self, bid: FloatArray) -> pd.DataFrame:
        """One row an item, site, channel, zone, date and claim."""
        n, serves = self.network, self.moved.admissions
        claim = n.claims.arc_claim[serves.way]
        frame = pd.DataFrame(
            {
                "item": self.items[serves.item],
                "site": self.sites[n.claims.arc_site[serves.way]],
                "channel": self.channels[n.claims.channel[claim]],
                "zone": self.zones[n.claims.zone[claim]],
                "date": self.bucket_dates(serves.bucket),
                "quantity": self.moved.served,
                "booking_limit": self.moved.served,
                "bid_price": bid,
                "claim": self.labels[claim],
            }
        )
        frame = frame[frame["quantity"] > 0]
        keys = ["item", "site", "channel", "zone", "date", "claim"]
        return frame.sort_values(keys, kind="stable").reset_index(drop=True)

    def unmet(
        self, claimed: Claimed, prices: Prices, reason: Callable[[IntArray, IntArray], NDArray[np.object_]]
    ) -> pd.DataFrame:
        """Demand lost, and demand still waiting at the end."""
        n = self.network
        row, t = np.nonzero(claimed.lost > 0)
        end = n.calendar.buckets - 1
        waits = n.claims.waits[claimed.claim]
        open_row = np.flatnonzero((claimed.backlog[:, end] > 0) & waits) if end >= 0 else np.empty(0, dtype=np.int64)
        rows = np.concatenate([row, open_row])
        bucket = np.concatenate([t, np.full(len(open_row), end)])
        quantity = np.concatenate([claimed.lost[row, t], claimed.backlog[open_row, end]])
        item, claim = claimed.item[rows], claimed.claim[rows]
        status = np.array(["lost"] * len(row) + ["waiting"] * len(open_row), dtype=object)
        cost = quantity * prices.unmet[item, claim] * (status == "lost")
        frame = pd.DataFrame(
            {
                "item": self.items[item],
                "channel": self.channels[n.claims.channel[claim]],
                "zone": self.zones[n.claims.zone[claim]],
                "date": self.bucket_dates(bucket),
                "quantity": quantity,
                "cost": cost,
                "reason": reason(rows, bucket),
                "claim": self.labels[claim],
                "status": status,
            }
        )
        return frame.sort_values(["item", "channel", "zone", "date", "claim", "status"], kind="stable").reset_index(
            drop=True
        )

    def projections(self, stocked: Stocked) -> pd.DataFrame:
        """Closing stock of each item and site in every bucket."""
        pairs, buckets = stocked.closing.shape
        below_min, _, _ = levels(self.network, stocked)
        return pd.DataFrame(
            {
                "item": np.repeat(self.items[stocked.item], buckets),
                "site": np.repeat(self.sites[stocked.site], buckets),
                "date": np.tile(self.bucket_dates(np.arange(buckets)), pairs),
                "stock": stocked.closing.ravel(),
                "below_min": below_min.ravel(),
                "waste": stocked.waste.ravel(),
            }
        )

    def lot_moves(self) -> pd.DataFrame:
        """Which lot went on each move, and what expired: sorted by item, site, date, kind, way, lot."""
        n, moved = self.network, self.moved
        pieces, gone = moved.assignment.pieces, moved.assignment.waste
        count = len(moved.shipments.item)
        ship = np.flatnonzero(pieces.move < count)
        sale = np.flatnonzero(pieces.move >= count)
        s, a = pieces.move[ship], pieces.move[sale] - count
        lanes, claims = n.lanes, n.claims
        way, t = moved.shipments.way[s], moved.shipments.bucket[s]
        arc, u = moved.admissions.way[a], moved.admissions.bucket[a]
        claim = claims.arc_claim[arc]
        kind = np.repeat(np.arange(3), [len(s), len(a), len(gone.item)])
        item = np.concatenate([moved.shipments.item[s], moved.admissions.item[a], gone.item]).astype(np.int64)
        site = np.concatenate([lanes.origin[way], claims.arc_site[arc], gone.site]).astype(np.int64)
        waste_day = n.calendar.first[gone.bucket]
        day = np.concatenate([lanes.ship_day[way, t], n.calendar.first[u], waste_day])
        lot = np.concatenate([pieces.lot[ship], pieces.lot[sale], gone.lot])
        received = np.concatenate([pieces.received[ship], pieces.received[sale], gone.received]).astype(np.int64)
        expiry = np.concatenate([pieces.expiry[ship], pieces.expiry[sale], gone.expiry]).astype(np.int64)
        path = np.concatenate([way, claim, np.zeros(len(gone.item), dtype=np.int64)])
        order = np.lexsort((expiry, received, lot, path, kind, day, site, item))
        arrive = np.concatenate(
            [lanes.arrive_day[way, t], n.calendar.first[u] + claims.arc_delivery[arc], np.full(len(gone.item), -1)]
        )

        def text(shipment: Texts, admission: Texts) -> Texts:
            return np.concatenate([shipment, admission, np.full(len(gone.item), "", dtype=object)])[order]

        def blank(number: int) -> Texts:
            return np.full(number, "", dtype=object)

        rules = np.array([rule.name for rule in Rule] + ["EXPIRED"], dtype=object)
        rule = np.concatenate([pieces.rule[ship], pieces.rule[sale], np.full(len(gone.item), len(rules) - 1)])
        quantity = np.concatenate([pieces.quantity[ship], pieces.quantity[sale], gone.quantity])
        frame = pd.DataFrame(
            {
                "lot": np.array(n.lots.codes, dtype=object)[lot[order]],
                "item": self.items[item[order]],
                "from": self.sites[site[order]],
                "to": text(self.sites[lanes.destination[way]], self.zones[claims.zone[claim]]),
                "date": self.dates(day[order]),
                "quantity": quantity[order],
                "rule": rules[rule[order].astype(np.int64)],
                "for": np.array(["shipment", "admission", "waste"], dtype=object)[kind[order]],
                "arrive_date": _blank_dates(self.dates(np.maximum(arrive[order], 0)), arrive[order] < 0),
                "expiry_date": _blank_dates(
                    self.dates(np.where(expiry >= NEVER, 0, expiry)[order]), expiry[order] >= NEVER
                ),
                "received_date": self.dates(received[order]),
                "mode": text(self.modes[way], blank(len(a))),
                "channel": text(blank(len(s)), self.channels[claims.channel[claim]]),
                "claim": text(blank(len(s)), self.labels[claim]),
            }
        )
        return frame


def ledger(lot_moves: pd.DataFrame, plan: str) -> pd.DataFrame:
    """One append-only transaction a lot move; ids depend on the plan and the move alone, so a replay adds nothing.

    The id is two keyed 64-bit hashes of the row (SipHash, keyed by the plan id).
    """
    keys = [name for name in lot_moves.columns if name != "quantity"]
    text = lot_moves[keys].astype(str)
    one = pd.util.hash_pandas_object(text, index=False, hash_key=plan[:16].ljust(16, "0"))
    two = pd.util.hash_pandas_object(text, index=False, hash_key=plan[:16].ljust(16, "0")[::-1])
    frame = pd.DataFrame(
        {
            "id": [f"{a:016x}{b:016x}" for a, b in zip(one, two, strict=True)],
            "plan": plan,
            "item": lot_moves["item"],
            "lot": lot_moves["lot"],
            "quantity": lot_moves["quantity"],
            "from": lot_moves["from"],
            "to": lot_moves["to"],
            "date": lot_moves["date"],
            "kind": lot_moves["for"],
        }
    )
    return frame.sort_values("id", kind="stable").reset_index(drop=True)


def _blank_dates(dates: NDArray[np.datetime64], blank: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    out = dates.copy()
    out[blank] = np.datetime64("NaT", "s")
    return out
