"""Coded results to the plan's tables (DESIGN section 3, docs/semantics.md).

Words are categories (`allocator.plan.words`), written to Parquet as plain strings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.network.network import METHODS, Network
from allocator.network.order import order_of, packed
from allocator.network.prices import Prices
from allocator.plan.account import Claimed, Missing, Stocked, levels
from allocator.plan.moves import Moved
from allocator.plan.words import Words

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Dates = NDArray[np.datetime64]

STORE = 3
SOURCES = (0, 1)
"""Kinds of sites that goods start from: supplier, plant."""
REBALANCE = len(METHODS)
DAY = 86_400
"""Seconds."""


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
    """Builds each table of a plan from its coded form.

    Attributes
    ----------
    place, item, channel, label : Words
        Words of sites and zones (one set, with ``""`` for nowhere), items, channels (with ``""`` and ``*``), claims (with ``""``).
    site, zone : (S,), (Z,) int
        Places of their words in ``place``; ``items``, ``channels``, ``labels`` the same of the other sets.
    """

    def __init__(self, network: Network, moved: Moved) -> None:
        self.network, self.moved = network, moved
        claims, modes = network.claims, [code[2] for code in network.lanes.codes]
        self.item, self.place = Words(network.items), Words(network.sites.codes, network.zones, [""])
        self.channel, self.label, self.mode = (Words(network.channels, ["", "*"]), Words(claims.label, [""]),
                                               Words(modes, [""]))  # fmt: skip
        self.items = self.item.places(network.items)
        self.site, self.zone = self.place.places(network.sites.codes), self.place.places(network.zones)
        self.channels, self.labels = self.channel.places(network.channels), self.label.places(claims.label)
        self.modes = self.mode.places(modes)

    def dates(self, day: NDArray[Any]) -> Dates:
        """Dates of day numbers, at second precision as pandas keeps them."""
        start = self.network.calendar.date(np.zeros(1, dtype=np.int64)).astype("datetime64[s]").astype(np.int64)
        seconds = np.asarray(day).astype(np.int64)
        seconds *= DAY
        seconds += start
        return seconds.view("datetime64[s]")

    def bucket_dates(self, bucket: IntArray) -> Dates:
        """First dates of buckets."""
        return self.dates(self.network.calendar.first)[bucket]

    def shipments(self) -> pd.DataFrame:
        """One row an item, lane and ship date."""
        n, ships = self.network, self.moved.shipments
        lanes, shipped = n.lanes, self.moved.shipped
        rows = np.flatnonzero(shipped > 0)
        item, way, t, quantity = ships.item[rows], ships.way[rows], ships.bucket[rows], shipped[rows]
        pack = lanes.pack[item, way]
        method = Words(METHODS, ["rebalance"])
        return pd.DataFrame(
            {
                "item": self.item.column(self.items[item]),
                "origin": self.place.column(self.site[lanes.origin][way]),
                "destination": self.place.column(self.site[lanes.destination][way]),
                "mode": self.mode.column(self.modes[way]),
                "ship_date": self.dates(lanes.ship_day)[way, t],
                "arrive_date": self.dates(lanes.arrive_day)[way, t],
                "quantity": quantity,
                "packs": quantity / np.where(pack > 0, pack, 1.0),
                "method": method.of([*METHODS, "rebalance"], self.methods()[rows]),
                "committed": t < n.calendar.committed,
            },
            copy=False,
        )

    def methods(self) -> IntArray:
        """How each shipment is to be read, a place in ``METHODS`` or ``REBALANCE``: by its lane's method, on auto lanes by what called for it.

        A lane of method auto carries ``rebalance`` out of a store or to a site no farther from the sources than the origin, ``pull`` when
        open firm demand of the destination covers it, ``push`` otherwise.
        """
        n, ships = self.network, self.moved.shipments
        lanes, hops = n.lanes, echelons(n)
        back = (n.sites.kind[lanes.origin] == STORE) | (hops[lanes.destination] <= hops[lanes.origin])
        called = np.where(self._called(), METHODS.index("pull"), METHODS.index("push"))
        method = lanes.method[ships.item, ships.way]
        return np.where(method == METHODS.index("auto"), np.where(back[ships.way], REBALANCE, called), method)

    def _called(self) -> NDArray[np.bool_]:
        """Whether open firm demand of the destination, due from the arrival on, covers each shipment."""
        n, ships = self.network, self.moved.shipments
        claims, demand = n.claims, n.demand
        firm = np.flatnonzero(claims.firm[demand.claim])
        _, sites, buckets = n.size
        if not len(firm):
            return np.zeros(len(ships.item), dtype=bool)
        entry, arc = claims.arcs(demand.claim[firm])
        entry = firm[entry]
        asked = (demand.item[entry] * sites + claims.arc_site[arc]) * buckets + demand.bucket[entry]
        total = pd.Series(demand.quantity[entry]).groupby(asked).sum()
        keys = total.index.to_numpy()
        known, row = np.unique(keys // buckets, return_inverse=True)
        due = np.zeros((len(known), buckets))
        due[row, keys % buckets] = total.to_numpy()
        later = np.cumsum(due[:, ::-1], axis=1)[:, ::-1]
        arrival = n.lanes.arrival[ships.way, ships.bucket]
        wanted = ships.item * sites + n.lanes.destination[ships.way]
        at = np.minimum(np.searchsorted(known, wanted), max(len(known) - 1, 0))
        covered = later[at, np.maximum(arrival, 0)] >= self.moved.shipped
        return np.asarray((known[at] == wanted) & (arrival >= 0) & covered) if len(known) else np.zeros(len(at), bool)

    def admissions(self, bid: FloatArray, limit: FloatArray | None = None) -> pd.DataFrame:
        """One row an item, site, channel, zone, date and claim; without booking limits the quantity is the limit."""
        n, serves = self.network, self.moved.admissions
        claims, served = n.claims, self.moved.served
        arc_channel, arc_zone = claims.channel[claims.arc_claim], claims.zone[claims.arc_claim]
        site, channel, zone = self.site[claims.arc_site], self.channels[arc_channel], self.zone[arc_zone]
        label = self.labels[claims.arc_claim]
        # arcs by site, channel and zone; the date stands between them and the claim
        _, group = np.unique(packed(site, channel, zone), return_inverse=True)
        rows = np.flatnonzero(served > 0)
        key = packed(self.items[serves.item[rows]], group[serves.way[rows]], serves.bucket[rows],
                     label[serves.way[rows]])  # fmt: skip
        rows = rows[order_of(key)]
        arc, quantity = serves.way[rows], served[rows]
        return pd.DataFrame(
            {
                "item": self.item.column(self.items[serves.item[rows]]),
                "site": self.place.column(site[arc]),
                "channel": self.channel.column(channel[arc]),
                "zone": self.place.column(zone[arc]),
                "date": self.bucket_dates(serves.bucket[rows]),
                "quantity": quantity,
                "booking_limit": quantity.copy() if limit is None else limit[rows],
                "bid_price": bid[rows],
                "claim": self.label.column(label[arc]),
            },
            copy=False,
        )

    def unmet(self, claimed: Claimed, rows: Missing, prices: Prices, reason: pd.Categorical) -> pd.DataFrame:
        """Demand lost, and demand still waiting at the end, each row with its reason."""
        claims = self.network.claims
        item, claim = claimed.item[rows.row], claimed.claim[rows.row]
        status = Words(["lost", "waiting"])
        channel, zone = self.channels[claims.channel[claim]], self.zone[claims.zone[claim]]
        waiting = rows.waiting.astype(np.int8)
        order = order_of(packed(self.items[item], channel, zone, rows.bucket, self.labels[claim], waiting))
        cost = rows.quantity * prices.unmet[item, claim] * ~rows.waiting
        return pd.DataFrame(
            {
                "item": self.item.column(self.items[item[order]]),
                "channel": self.channel.column(channel[order]),
                "zone": self.place.column(zone[order]),
                "date": self.bucket_dates(rows.bucket[order]),
                "quantity": rows.quantity[order],
                "cost": cost[order],
                "reason": reason[order],
                "claim": self.label.column(self.labels[claim[order]]),
                "status": status.column(waiting[order]),
            },
            copy=False,
        )

    def projections(self, stocked: Stocked) -> pd.DataFrame:
        """Closing stock of each item and site in every bucket."""
        pairs, buckets = stocked.closing.shape
        return pd.DataFrame(
            {
                "item": self.item.column(np.repeat(self.items[stocked.item], buckets)),
                "site": self.place.column(np.repeat(self.site[stocked.site], buckets)),
                "date": np.tile(self.bucket_dates(np.arange(buckets)), pairs),
                "stock": stocked.closing.ravel(),
                "below_min": levels(self.network, stocked)[0].ravel(),
                "waste": stocked.waste.ravel(),
            },
            copy=False,
        )
