"""The admission policy of the commit window: booking limits and bid prices of every channel, site and day (docs/outlooks.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.hedge import Hedge
from allocator.network.marginals import moments
from allocator.network.network import Network
from allocator.network.order import order_of, packed
from allocator.network.prices import Prices
from allocator.plan.account import Stocked
from allocator.plan.frames import Frames
from allocator.plan.moves import Moved
from allocator.plan.tight import Marginals
from allocator.policy import Classes, booking_limits

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

COLUMNS = (
    "item",
    "site",
    "channel",
    "date",
    "available",
    "expected_demand",
    "protected",
    "booking_limit",
    "bid_price",
    "worth",
)


@dataclass(frozen=True)
class Bookings:
    """Policy of N channels at sites on days of the commit window.

    Attributes
    ----------
    item, site, channel, bucket : (N,) int
    available : (N,) float
        Stock that forecast demand of all channels may draw on. [units]
    expected, protected, limit : (N,) float
        Demand expected of the channel there, stock kept for stronger channels, units it may book. [units]
    price, worth : (N,) float
        Value of the next unit there and then; margin less fulfilment cost of the channel. [currency per unit]
    """

    item: IntArray
    site: IntArray
    channel: IntArray
    bucket: IntArray
    available: FloatArray
    expected: FloatArray
    protected: FloatArray
    limit: FloatArray
    price: FloatArray
    worth: FloatArray

    def table(self, frames: Frames) -> pd.DataFrame:
        """One row an item, site, channel and date."""
        order = order_of(
            packed(frames.items[self.item], frames.site[self.site], frames.channels[self.channel], self.bucket)
        )
        values = (
            frames.item.column(frames.items[self.item[order]]),
            frames.place.column(frames.site[self.site[order]]),
            frames.channel.column(frames.channels[self.channel[order]]),
            frames.bucket_dates(self.bucket[order]),
            *(
                numbers[order]
                for numbers in (self.available, self.expected, self.protected, self.limit, self.price, self.worth)
            ),
        )
        return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))

    def of(self, network: Network, item: IntArray, arc: IntArray, bucket: IntArray, other: FloatArray) -> FloatArray:
        """Booking limit at the site, channel and day of admissions; ``other`` where there is no policy (firm orders, later days)."""
        claims = network.claims
        claim = claims.arc_claim[arc]
        _, sites, buckets = network.size
        channels = len(network.channels)
        keys = ((self.item * sites + self.site) * channels + self.channel) * buckets + self.bucket
        wanted = ((item * sites + claims.arc_site[arc]) * channels + claims.channel[claim]) * buckets + bucket
        order = np.argsort(keys)
        at = np.minimum(np.searchsorted(keys[order], wanted), max(len(keys) - 1, 0))
        if not len(keys):
            return other
        found = (keys[order][at] == wanted) & ~claims.firm[claim]
        return np.where(found, self.limit[order][at], other)


def no_bookings(frames: Frames) -> pd.DataFrame:
    """The empty table of a plan on the mean demand, or by rules."""
    none, number = np.empty(0, dtype=np.int64), np.empty(0)
    return Bookings(none, none, none, none, number, number, number, number, number, number).table(frames)


def build_bookings(hedge: Hedge, prices: Prices, moved: Moved, stocked: Stocked, worth: Marginals) -> Bookings:
    """Booking limits from the distributions of demand, the plan's stock, and the value of stock on the next day.

    Parameters
    ----------
    hedge : Hedge
    prices : Prices
        Premiums of priorities, worths of what is turned away.
    moved, stocked
        The published plan on the mean demand.
    worth : Marginals
        Value of stock over the outlooks.

    Returns
    -------
    Bookings
    """
    network = hedge.network
    return booking_policy(hedge, prices, worth, lambda stocks, rows: _available(network, moved, stocked, stocks, rows))


Availability = Callable[[IntArray, IntArray], tuple[FloatArray, FloatArray]]
"""Stock that forecast demand may draw on, by ``(item * sites + site) * buckets + bucket``; what the plan serves, by ``stock * channels + channel``."""


def booking_policy(hedge: Hedge, prices: Prices, worth: Marginals, available_of: Availability) -> Bookings:
    """Booking limits from the distributions of demand and a statement of the stock there will be.

    Parameters
    ----------
    hedge, prices, worth
        As for :func:`build_bookings`.
    available_of : callable
        Stock by place and day, and what the plan serves of it by channel. [units]

    Returns
    -------
    Bookings
    """
    network = hedge.network
    arcs = _arcs(hedge)
    claims, calendar = network.claims, network.calendar
    _, sites, buckets = network.size
    item, arc, bucket = arcs["item"].to_numpy(), arcs["arc"].to_numpy(), arcs["bucket"].to_numpy()
    claim = claims.arc_claim[arc]
    site, channel = claims.arc_site[arc], claims.channel[claim]
    arcs = arcs.assign(
        stock=(item * sites + site) * buckets + bucket,
        channel=channel,
        priority=claims.priority[claim],
        worth=network.margin[item, channel] - claims.arc_cost[arc],
        penalty=prices.unmet[item, claim] + prices.premium[item, claim],
    )
    weight = np.maximum(arcs["mean"], 1e-12)
    arcs = arcs.assign(weight=weight, worth=arcs["worth"] * weight, penalty=arcs["penalty"] * weight)
    rows = arcs.groupby(["stock", "channel", "priority"], as_index=False, sort=True)[
        ["mean", "variance", "worth", "penalty", "weight"]
    ].sum()
    key, channel = rows["stock"].to_numpy(), rows["channel"].to_numpy()
    item, site, bucket = key // (sites * buckets), key // buckets % sites, key % buckets
    earns = (rows["worth"] / rows["weight"]).to_numpy()
    loses = (rows["penalty"] / rows["weight"]).to_numpy()
    stocks, place = np.unique(key, return_inverse=True)
    s_item, s_site, s_bucket = stocks // (sites * buckets), stocks // buckets % sites, stocks % buckets
    available, planned = available_of(stocks, key * np.int64(len(network.channels)) + channel)
    hold = network.unit_cost[s_item] * network.sites.holding_rate[s_site] / 365.0 * calendar.length[s_bucket]
    after = np.where(s_bucket + 1 < buckets, worth.at(stocks + 1) - hold, 0.0)
    order = np.lexsort((-(earns + loses), rows["priority"].to_numpy()))
    rank = np.empty(len(order))
    rank[order] = np.arange(len(order))
    classes = Classes(
        place.astype(np.int64), rank, rows["mean"].to_numpy(), rows["variance"].to_numpy(), earns, loses,
        network.cancel_cost[item, channel],
    )  # fmt: skip
    limit, protected = booking_limits(classes, available, np.maximum(after, 0.0), network.quantum[s_item])
    limits = network.limits
    most = np.minimum(limits.max_units[site, channel, bucket], available[place])
    limit = np.minimum(np.maximum(limit, planned), np.maximum(most, planned))
    return Bookings(
        item,
        site,
        channel,
        bucket,
        available[place],
        classes.mean,
        protected,
        limit,
        worth.at(key),
        earns,
    )


def _arcs(hedge: Hedge) -> pd.DataFrame:
    """Forecast demand left in the commit window by service arc: mean and variance of the arc's share of its claim."""
    network = hedge.network
    claims, calendar, points = network.claims, network.calendar, network.outlooks.points
    bucket = calendar.bucket_of(points.day)
    near = np.flatnonzero(bucket < calendar.committed)
    mean, variance = moments(points.mean[near], points.std[near], points.quantiles[near])
    channels, zones = len(network.channels), len(network.zones)
    claim_of = np.full((channels, zones), -1, dtype=np.int64)
    claim_of[claims.channel[~claims.firm], claims.zone[~claims.firm]] = np.flatnonzero(~claims.firm)
    demand = pd.DataFrame(
        {
            "item": points.item[near],
            "claim": claim_of[points.channel[near], points.zone[near]],
            "bucket": bucket[near],
            "mean": mean,
            "variance": variance,
        }
    )
    demand = demand.groupby(["item", "claim", "bucket"], as_index=False)[["mean", "variance"]].sum()
    firm = _firm(network, claim_of)
    demand = demand.merge(firm, on=["item", "claim", "bucket"], how="left")
    left = (1.0 - demand["firm"].fillna(0.0) / demand["mean"].where(demand["mean"] > 0, 1.0)).clip(lower=0.0)
    demand = demand.assign(mean=demand["mean"] * left, variance=demand["variance"] * left).drop(columns="firm")
    arcs = pd.DataFrame({"arc": np.arange(len(claims.arc_claim)), "claim": claims.arc_claim})
    arcs["ways"] = arcs.groupby("claim")["arc"].transform("size")
    found = demand.merge(arcs, on="claim").merge(_served(hedge), on=["item", "arc", "bucket"], how="left")
    served = found["served"].fillna(0.0)
    total = served.groupby([found["item"], found["claim"], found["bucket"]]).transform("sum")
    share = np.where(
        found["ways"] == 1, 1.0, np.where(total > 0, served / total.where(total > 0, 1.0), 1.0 / found["ways"])
    )
    # a share of the orders, each going its own way: thinning keeps Poisson demand Poisson
    thinned = share**2 * found["variance"] + share * (1.0 - share) * found["mean"]
    return found.assign(mean=share * found["mean"], variance=thinned)[["item", "arc", "bucket", "mean", "variance"]]


def _firm(network: Network, claim_of: IntArray) -> pd.DataFrame:
    """Firm orders by the forecast claim they consume."""
    demand, claims = network.demand, network.claims
    mine = claims.firm[demand.claim]
    claim = demand.claim[mine]
    frame = pd.DataFrame(
        {
            "item": demand.item[mine],
            "claim": claim_of[claims.channel[claim], claims.zone[claim]],
            "bucket": demand.bucket[mine],
            "firm": demand.quantity[mine],
        }
    )
    return frame.groupby(["item", "claim", "bucket"], as_index=False)[["firm"]].sum()


def _served(hedge: Hedge) -> pd.DataFrame:
    """Expected admissions of the commit window by item, arc and bucket."""
    drawn, network = hedge.drawn, hedge.network
    mine = np.flatnonzero(drawn.serves & (drawn.bucket < network.calendar.committed))
    frame = pd.DataFrame(
        {
            "item": drawn.item[mine],
            "arc": drawn.way[mine],
            "bucket": drawn.bucket[mine],
            "served": drawn.quantity[mine] / network.outlooks.count,
        }
    )
    return frame.groupby(["item", "arc", "bucket"], as_index=False)[["served"]].sum()


def _available(
    network: Network, moved: Moved, stocked: Stocked, stocks: IntArray, rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Stock that forecast demand may draw on, by stock; and what the plan serves of it, by (stock, channel) key."""
    claims = network.claims
    _, sites, buckets = network.size
    serves = moved.admissions
    forecast = ~claims.firm[claims.arc_claim[serves.way]]
    key = (serves.item * sites + claims.arc_site[serves.way]) * buckets + serves.bucket
    channel = claims.channel[claims.arc_claim[serves.way]]
    served = pd.Series(moved.served[forecast]).groupby(key[forecast]).sum()
    by_channel = pd.Series(moved.served[forecast]).groupby(
        key[forecast] * np.int64(len(network.channels)) + channel[forecast]
    )
    closing = pd.Series(
        stocked.closing.ravel(),
        index=((stocked.item * sites + stocked.site)[:, None] * buckets + np.arange(buckets)).ravel(),
    )
    available = closing.reindex(stocks, fill_value=0.0) + served.reindex(stocks, fill_value=0.0)
    planned = by_channel.sum().reindex(rows, fill_value=0.0)
    return np.asarray(available, dtype=np.float64), np.asarray(planned, dtype=np.float64)
