"""What items share: lanes, sites, channels and minimum fill rates, added up over runs of items and then judged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from allocator.audit.coded import Admissions, Shipments
from allocator.audit.demand import Claims, Fate
from allocator.audit.facts import Facts
from allocator.audit.keys import Floats, Whole, floats, grid, pack, whole
from allocator.audit.limits import above, admission_limits, room
from allocator.audit.registry import Notebook, Place
from allocator.audit.relaxed import Relaxed
from allocator.audit.stock import Stock, Supply
from allocator.audit.terms import Worth


class Shared:
    """Use of what items share.

    Attributes
    ----------
    lanes : (L, B) float, [m3]
        Volume shipped on each lane.
    units, leaving, coming, kept : (S, B) float, [units] and [m3]
        What leaves each site, what comes in, and what lies there when the bucket closes.
    drawn : (S x C, B) float, [units]
        What each channel draws from each site.
    asked, served : (C,) float, [units]
    supply : float, [m3]
        Volume of all supply.
    price_volume, price_fill : float
        Prices of storage and inbound excess [currency/m3], and of a unit short of a minimum fill rate.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        sites, channels, buckets = len(facts.sites), len(facts.channels), facts.calendar.buckets
        self.lanes = np.zeros((len(facts.lanes), buckets))
        self.units, self.leaving, self.coming, self.kept = (np.zeros((sites, buckets)) for _ in range(4))
        self.drawn = np.zeros((sites * channels, buckets))
        self.asked, self.served = np.zeros(channels), np.zeros(channels)
        self.supply = self.price_volume = self.price_fill = 0.0

    def add(self, ships: Shipments, sold: Admissions, supply: Supply, stock: Stock, worth: Worth) -> None:
        """Add the moves and the stock of a run of items."""
        facts, volume = self.facts, self.facts.unit_volume
        shape, origin = self.units.shape, facts.origin[ships.lane]
        gone, taken = ships.quantity * volume[ships.item], sold.quantity * volume[sold.item]
        self.lanes += grid(self.lanes.shape, ships.lane, ships.bucket, gone)
        self.units += grid(shape, origin, ships.bucket, ships.quantity)
        self.units += grid(shape, sold.site, sold.bucket, sold.quantity)
        self.leaving += grid(shape, origin, ships.bucket, gone) + grid(shape, sold.site, sold.bucket, taken)
        self.coming += grid(shape, facts.destination[ships.lane], ships.arrive_bucket, gone)
        some, arrived = supply.receipt, supply.quantity * volume[supply.item]
        self.coming += grid(shape, supply.site[some], supply.bucket[some], arrived[some])
        held = np.maximum(stock.closing, 0.0) * volume[stock.item][:, None]
        rows = np.repeat(stock.site, shape[1])
        self.kept += grid(shape, rows, np.tile(np.arange(shape[1]), len(stock.site)), held.ravel())
        self.kept += supply.idle[:, None]
        cell = pack((len(facts.sites), len(facts.channels)), sold.site, sold.channel)
        self.drawn += grid(self.drawn.shape, cell, sold.bucket, sold.quantity)
        self.supply += float(arrived.sum())
        self.price_volume, self.price_fill = max(self.price_volume, worth.volume), max(self.price_fill, worth.fill)

    def add_demand(self, claims: Claims, fate: Fate) -> None:
        """Add what was asked for and served."""
        count = len(self.asked)
        self.asked += np.bincount(claims.channel, weights=claims.demand.sum(axis=1), minlength=count)
        self.served += np.bincount(claims.channel, weights=fate.served.sum(axis=1), minlength=count)

    def judge(self, book: Notebook) -> list[Relaxed]:
        """Check the hard limits and measure where the elastic ones gave."""
        facts, place = self.facts, self._place("site", self.units.shape)
        daily = floats(facts.lanes["daily_volume"])[:, None]
        most = np.where(np.isnan(daily), np.inf, daily * facts.depart_days)
        book.at_most("lane_volume", self.lanes.ravel(), most.ravel(), self._place("lane", self.lanes.shape))
        book.at_most("outbound", self.leaving.ravel(), room(facts, "outbound").ravel(), place)
        sites = facts.frame("sites").set_index("site").reindex(facts.sites.codes)
        most = floats(sites["outbound_units"])[:, None] * facts.calendar.length
        book.at_most("outbound_units", self.units.ravel(), np.where(np.isnan(most), np.inf, most).ravel(), place)
        self._judge_channels(book)
        price = np.full(self.units.shape, self.price_volume)
        return [
            _excess("inbound", self.coming, room(facts, "inbound"), price),
            _excess("storage", self.kept, room(facts, "storage"), price * facts.calendar.length),
            self._fill_gaps(facts.tables.settings.min_fill),
        ]

    def _place(self, name: str, shape: tuple[int, ...]) -> Place:
        rows, buckets = np.divmod(np.arange(shape[0] * shape[1]), shape[1])
        return self.facts.place(**{name: rows}, bucket=buckets)

    def _judge_channels(self, book: Notebook) -> None:
        channels, buckets = max(len(self.facts.channels), 1), self.facts.calendar.buckets
        rows, when = np.divmod(np.arange(self.drawn.size), buckets)
        place = self.facts.place(site=rows // channels, channel=rows % channels, bucket=when)
        book.at_most("admission_units", self.drawn.ravel(), admission_limits(self.facts)[0].ravel(), place)

    def _fill_gaps(self, min_fill: Mapping[str, float]) -> Relaxed:
        """Measure what each channel falls short of its minimum fill rate over the horizon."""
        count = len(self.facts.channels)
        floor = np.zeros(count)
        for code, share in min_fill.items():
            position = self.facts.channels.codes.get_loc(code)
            floor[position] = share * self.asked[position]
        short = above(floor - self.served, floor)
        every: Whole = np.arange(count, dtype=np.int64)
        nothing = np.zeros(count, dtype=np.int64)
        return Relaxed.where("min_fill", nothing - 1, every, nothing, short, np.full(count, self.price_fill))


def _excess(what: str, use: Floats, limit: Floats, price: Floats) -> Relaxed:
    rows, buckets = np.divmod(np.arange(use.size), use.shape[1])
    over = above((use - limit).ravel(), limit.ravel())
    return Relaxed.where(what, np.full(use.size, -1), whole(rows), whole(buckets), over, price.ravel())
