"""Stock of every item at every site in every bucket: what comes in from outside, the balance, and stock policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.audit.coded import Admissions, Projections, Shipments
from allocator.audit.facts import Facts, receipt_lots
from allocator.audit.keys import Floats, Keys, Whole, floats, grid, pack
from allocator.audit.registry import Notebook


@dataclass(frozen=True)
class Supply:
    """Usable lots and receipts, one row each.

    Attributes
    ----------
    item, site, lot, bucket, received, expiry : (N,) int
        The bucket in which it comes in (0 for stock on hand) and day numbers.
    opening : (N,) bool
        On hand before the first bucket.
    receipt : (N,) bool
        From the receipts table.
    quantity : (N,) float, [units]
    idle : (S,) float, [m3]
        Room taken by lots that may not be used.
    """

    item: Whole
    site: Whole
    lot: Whole
    bucket: Whole
    received: Whole
    expiry: Whole
    opening: np.ndarray[tuple[int], np.dtype[np.bool_]]
    receipt: np.ndarray[tuple[int], np.dtype[np.bool_]]
    quantity: Floats
    idle: Floats


def read_supply(facts: Facts) -> Supply:
    """Read usable lots (available, not expired before the start) and receipts of the horizon."""
    lots, receipts, calendar = facts.frame("lots"), facts.frame("receipts"), facts.calendar
    item, site = facts.items.find(lots["item"]), facts.sites.find(lots["site"])
    quantity, expiry = floats(lots["quantity"]), calendar.days(lots["expiry_date"])
    usable = np.asarray(lots["status"].astype(str) == "available", dtype=bool) & (expiry >= 0)
    volume = np.where(usable, 0.0, quantity * facts.unit_volume[item])
    idle = np.bincount(site, weights=volume, minlength=len(facts.sites)).astype(np.float64)
    received = calendar.days(lots["received_date"], 0)
    due = np.maximum(calendar.days(receipts["date"]), 0)
    columns = {
        "item": (item, facts.items.find(receipts["item"])),
        "site": (site, facts.sites.find(receipts["site"])),
        "lot": (facts.lots.find(lots["lot"]), facts.lots.find(receipt_lots(receipts))),
        "bucket": (calendar.buckets_at(np.maximum(received, 0)), calendar.buckets_at(due)),
        "received": (received, due),
        "expiry": (expiry, calendar.days(receipts["expiry_date"])),
        "opening": (received <= 0, np.zeros(len(receipts), dtype=bool)),
        "receipt": (np.zeros(len(lots), dtype=bool), np.ones(len(receipts), dtype=bool)),
        "quantity": (quantity, floats(receipts["quantity"])),
    }
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    keep = np.concatenate([usable, np.ones(len(receipts), dtype=bool)]) & (joined["bucket"] >= 0)
    keep &= joined["quantity"] > 0
    return Supply(**{name: column[keep] for name, column in joined.items()}, idle=idle)


@dataclass(frozen=True)
class Stock:
    """Stock of P pairs of item and site over B buckets, recomputed from moves; all grids (P, B), [units].

    Attributes
    ----------
    item, site : (P,) int
    keys : Keys
        Position by packed item, site.
    came, shipped, served, waste, opening, closing : (P, B) float
        `came` holds receipts, late lots and arrivals; `opening` is what the bucket begins with.
    """

    item: Whole
    site: Whole
    keys: Keys
    came: Floats
    shipped: Floats
    served: Floats
    waste: Floats
    opening: Floats
    closing: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """Pairs and buckets."""
        return len(self.item), self.came.shape[1]


def follow_stock(facts: Facts, supply: Supply, ships: Shipments, sold: Admissions, shown: Projections) -> Stock:
    """Recompute stock from what came in, what left, and the waste that the projections state."""
    sizes, buckets = facts.pair_sizes, facts.calendar.buckets
    held = pack(sizes, supply.item, supply.site)
    origin = pack(sizes, ships.item, facts.origin[ships.lane])
    destination = pack(sizes, ships.item, facts.destination[ships.lane])
    sold_at, shown_at = pack(sizes, sold.item, sold.site), pack(sizes, shown.item, shown.site)
    policies = facts.frame("stock_policies")
    policies = policies[(policies["min_stock"] > 0) | (policies["safety_stock"] > 0) | policies["max_stock"].notna()]
    ruled = pack(sizes, facts.items.find(policies["item"]), facts.sites.find(policies["site"]))
    pairs = np.unique(
        np.concatenate([np.unique(part) for part in (held, origin, destination, sold_at, shown_at, ruled)])
    )
    pairs = pairs[pairs >= 0]
    keys, shape = Keys.of(pairs), (len(pairs), buckets)
    came = grid(shape, keys.find(held), np.where(supply.opening, -1, supply.bucket), supply.quantity)
    came = came + grid(shape, keys.find(destination), ships.arrive_bucket, ships.quantity)
    shipped = grid(shape, keys.find(origin), ships.bucket, ships.quantity)
    served = grid(shape, keys.find(sold_at), sold.bucket, sold.quantity)
    waste = grid(shape, keys.find(shown_at), shown.bucket, shown.waste)
    first = keys.find(held[supply.opening])
    start = np.bincount(first, weights=supply.quantity[supply.opening], minlength=len(pairs)).astype(np.float64)
    closing = start[:, None] + np.cumsum(came - shipped - served - waste, axis=1)
    opening = np.concatenate([start[:, None], closing[:, :-1]], axis=1)
    item, site = np.divmod(pairs, max(sizes[1], 1))
    return Stock(item, site, keys, came, shipped, served, waste, opening, closing)


def check_stock(facts: Facts, stock: Stock, shown: Projections, book: Notebook) -> None:
    """Check projections against the recomputed stock."""
    rows = stock.keys.find(pack(facts.pair_sizes, shown.item, shown.site))
    place = facts.place(item=shown.item, site=shown.site, bucket=shown.bucket)
    book.equal("balance", stock.closing[rows, shown.bucket], shown.stock, place)
    shape = stock.shape
    everywhere = facts.place(
        item=np.repeat(stock.item, shape[1]),
        site=np.repeat(stock.site, shape[1]),
        bucket=np.tile(np.arange(shape[1]), shape[0]),
    )
    scale = np.maximum(1.0, stock.opening + stock.came).ravel()
    book.at_least("stock", stock.closing.ravel() / scale, 0.0, everywhere)
    there = grid(shape, rows, shown.bucket, np.ones(len(rows))) > 0
    book.true("projections", there.ravel(), everywhere, "a row", "none")


@dataclass(frozen=True)
class Levels:
    """Stock policies of the pairs that have one, quanta applied.

    Attributes
    ----------
    pair : (R,) int
        Position in Stock.
    least, safety, most : (R,) float, [units]
        Minimum, safety and maximum stock (inf: none).
    """

    pair: Whole
    least: Floats
    safety: Floats
    most: Floats


def read_levels(facts: Facts, stock: Stock) -> Levels:
    """Read stock policies; minimum and safety stock are rounded up to the quantum, maximum stock down."""
    frame = facts.frame("stock_policies")
    item = facts.items.find(frame["item"])
    pair = stock.keys.find(pack(facts.pair_sizes, item, facts.sites.find(frame["site"])))
    item, frame, pair = item[pair >= 0], frame[pair >= 0], pair[pair >= 0]
    step = facts.quantum[item]
    unit = np.where(step > 0, step, 1.0)
    least, safety, most = floats(frame["min_stock"]), floats(frame["safety_stock"]), floats(frame["max_stock"])
    most = np.where(np.isnan(most), np.inf, most)
    return Levels(
        pair=pair,
        least=np.where(step > 0, np.ceil(least / unit - 1e-9) * unit, least),
        safety=np.where(step > 0, np.ceil(safety / unit - 1e-9) * unit, safety),
        most=np.where(step > 0, np.floor(most / unit + 1e-9) * unit, most),
    )


def check_below_min(facts: Facts, stock: Stock, levels: Levels, shown: Projections, book: Notebook) -> None:
    """Check the below_min column of the projections."""
    least = np.zeros(stock.shape[0])
    least[levels.pair] = levels.least
    rows = stock.keys.find(pack(facts.pair_sizes, shown.item, shown.site))
    short = np.maximum(least[rows] - stock.closing[rows, shown.bucket], 0.0)
    book.equal("below_min", short, shown.below_min, facts.place(item=shown.item, site=shown.site, bucket=shown.bucket))
