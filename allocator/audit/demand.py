"""Claims and their demand, and what became of it: served, waiting or lost, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.audit.coded import Admissions, Unmet
from allocator.audit.facts import FORECAST, Facts
from allocator.audit.keys import Flags, Floats, Keys, Names, Whole, floats, grid, pack
from allocator.audit.registry import Notebook, Place


@dataclass(frozen=True)
class Claims:
    """What is asked for: K claims over B buckets.

    Attributes
    ----------
    item, channel, zone, name : (K,) int
        Positions; `name` in `names`.
    names : Names
        `forecast`, `firm`, `firm/priority=2` and so on.
    priority, margin, unmet_cost : (K,) float
        Overrides included; [currency/unit].
    backorder, firm : (K,) bool
        Whether the claim waits; whether it is of firm orders.
    demand : (K, B) float, [units]
        Demand that falls in each bucket.
    lapsing : (K, B) float, [units]
        Demand that may be served through that bucket and no later.
    keys : Keys
        Position by packed item, channel, zone, name.
    """

    item: Whole
    channel: Whole
    zone: Whole
    name: Whole
    names: Names
    priority: Floats
    margin: Floats
    unmet_cost: Floats
    backorder: Flags
    firm: Flags
    demand: Floats
    lapsing: Floats
    keys: Keys

    def find(self, facts: Facts, item: Whole, channel: Whole, zone: Whole, name: pd.Series[Any]) -> Whole:
        """Give the claim of each row; -1 where the network asks for no such thing."""
        return self.keys.find(pack(_sizes(facts, self.names), item, channel, zone, self.names.find(name)))

    def place(self, facts: Facts, rows: Whole, buckets: Whole | None = None) -> Place:
        """Give a function that writes where a row is: item, channel, zone, claim and, where given, the bucket."""
        columns: dict[str, Any] = {
            "item": self.item[rows],
            "channel": self.channel[rows],
            "zone": self.zone[rows],
            "claim": self.names.codes.to_numpy()[self.name[rows]],
        }
        if buckets is not None:
            columns["bucket"] = buckets
        return facts.place(**columns)


@dataclass(frozen=True)
class Fate:
    """What became of every claim in every bucket; all (K, B), [units]."""

    served: Floats
    lost: Floats
    backlog: Floats


def _sizes(facts: Facts, names: Names) -> tuple[int, int, int, int]:
    return len(facts.items), len(facts.channels), len(facts.zones), len(names)


def read_claims(facts: Facts) -> Claims:
    """Work out every claim's demand from forecasts and orders.

    Firm orders of a bucket consume the forecast of their item, channel and zone; what is left is rounded cumulatively
    to whole quanta (docs/semantics.md, "Demand").
    """
    forecasts, orders = _forecast_rows(facts), _order_rows(facts)
    names = Names.of(pd.Series([FORECAST], dtype=object), orders["name"])
    sizes = _sizes(facts, names)
    forecasts["key"] = _key(forecasts, sizes, names)
    orders["key"] = _key(orders, sizes, names)
    orders["point"] = _key(orders.assign(name=FORECAST), sizes, names)
    keys = np.unique(np.concatenate([forecasts["key"].to_numpy(np.int64), orders["key"].to_numpy(np.int64)]))
    index = Keys.of(keys)
    shape = (len(keys), facts.calendar.buckets)
    item, channel, zone, name = _unpack(keys, sizes)
    firm = name != names.find(pd.Series([FORECAST], dtype=object))[0]
    amounts, buckets = floats(orders["quantity"]), orders["bucket"].to_numpy(np.int64)
    mean = grid(
        shape,
        index.find(forecasts["key"].to_numpy(np.int64)),
        forecasts["bucket"].to_numpy(np.int64),
        floats(forecasts["mean"]),
    )
    consumed = grid(shape, index.find(orders["point"].to_numpy(np.int64)), buckets, amounts)
    left = np.where(firm[:, None], 0.0, np.maximum(mean - consumed, 0.0))
    left = _rounded(left, facts.quantum[item])
    rows = index.find(orders["key"].to_numpy(np.int64))
    demand = left + grid(shape, rows, buckets, amounts)
    lapsing = _forecast_lapse(left, facts, channel) + grid(shape, rows, orders["last"].to_numpy(np.int64), amounts)
    priority, unmet_cost, margin = _worth(facts, orders, rows, item, channel)
    return Claims(
        item,
        channel,
        zone,
        name,
        names,
        priority,
        margin,
        unmet_cost,
        facts.backorder[channel],
        firm,
        demand,
        lapsing,
        index,
    )


def _key(rows: pd.DataFrame, sizes: tuple[int, int, int, int], names: Names) -> Whole:
    columns = [rows[name].to_numpy(np.int64) for name in ("item", "channel", "zone")]
    return pack(sizes, *columns, names.find(rows["name"]))


def _unpack(keys: Whole, sizes: tuple[int, int, int, int]) -> tuple[Whole, Whole, Whole, Whole]:
    rest, name = np.divmod(keys, max(sizes[3], 1))
    rest, zone = np.divmod(rest, max(sizes[2], 1))
    item, channel = np.divmod(rest, max(sizes[1], 1))
    return item, channel, zone, name


def _forecast_rows(facts: Facts) -> pd.DataFrame:
    frame = facts.frame("forecasts")
    rows = pd.DataFrame(
        {
            "item": facts.items.find(frame["item"]),
            "channel": facts.channels.find(frame["channel"]),
            "zone": facts.zones.find(frame["zone"]),
            "bucket": facts.calendar.buckets_at(facts.calendar.days(frame["date"])),
            "mean": floats(frame["mean"]),
        }
    )
    rows["name"] = pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), categories=pd.Index([FORECAST]))
    return rows[rows["bucket"] >= 0]


def _order_rows(facts: Facts) -> pd.DataFrame:
    frame = facts.frame("orders")
    calendar = facts.calendar
    due = calendar.days(frame["due_date"])
    channel = facts.channels.find(frame["channel"])
    bucket = calendar.buckets_at(np.maximum(due, 0))
    wait = np.maximum(facts.max_wait[channel] - np.maximum(-due, 0), 0)
    end = (calendar.first + calendar.length - 1)[np.maximum(bucket, 0)]
    last = np.where(facts.backorder[channel], calendar.buckets_at(end + wait), bucket)
    name = pd.Series("firm", index=frame.index, dtype=object)
    for column in ("priority", "unmet_cost"):
        stated = pd.Series(floats(frame[column]), index=frame.index)
        words = {value: f"/{column}={value:g}" for value in stated.dropna().unique()}
        name = name + stated.map(words).astype(object).where(stated.notna(), "")
    rows = pd.DataFrame(
        {
            "item": facts.items.find(frame["item"]),
            "channel": channel,
            "zone": facts.zones.find(frame["zone"]),
            "bucket": bucket,
            "last": last,
            "quantity": floats(frame["quantity"]),
            "name": name.to_numpy(dtype=object),
            "priority": floats(frame["priority"]),
            "unmet_cost": floats(frame["unmet_cost"]),
        }
    )
    return rows[rows["bucket"] >= 0].reset_index(drop=True)


def _rounded(remainder: Floats, quantum: Floats) -> Floats:
    """Round each row's running sum to whole quanta, (K, B) [units]; rows with quantum 0 stay as they are."""
    step = np.where(quantum > 0, quantum, 1.0)[:, None]
    running = step * np.floor(np.cumsum(remainder, axis=1) / step + 0.5 + 1e-9)
    return np.where(quantum[:, None] > 0, np.diff(running, axis=1, prepend=0.0), remainder)


def _forecast_lapse(demand: Floats, facts: Facts, channel: Whole) -> Floats:
    """Move forecast demand to the last bucket it may be served in; it is due on the last day of its own."""
    calendar, lapsing = facts.calendar, np.zeros_like(demand)
    wait = np.where(facts.backorder, facts.max_wait, 0)[channel]
    for bucket in range(calendar.buckets):
        due = int(calendar.first[bucket] + calendar.length[bucket] - 1)
        last = np.where(facts.backorder[channel], calendar.buckets_at(due + wait), bucket)
        inside = np.flatnonzero(last >= 0)
        lapsing[inside, last[inside]] += demand[inside, bucket]
    return lapsing


def _worth(
    facts: Facts, orders: pd.DataFrame, rows: Whole, item: Whole, channel: Whole
) -> tuple[Floats, Floats, Floats]:
    """Give each claim's priority, unmet cost and margin, overrides included."""
    prices = facts.frame("prices")
    sizes = (len(facts.items), len(facts.channels))
    index = Keys.of(pack(sizes, facts.items.find(prices["item"]), facts.channels.find(prices["channel"])))
    at = index.find(pack(sizes, item, channel))
    known = at >= 0
    margin = np.zeros(len(item))
    unmet_cost = np.zeros(len(item))
    margin[known] = floats(prices["margin"])[at[known]]
    unmet_cost[known] = floats(prices["unmet_cost"])[at[known]]
    priority = facts.priority[channel].copy()
    for column, values in (("priority", priority), ("unmet_cost", unmet_cost)):
        stated = floats(orders[column])
        given = ~np.isnan(stated)
        values[rows[given]] = stated[given]
    return priority, unmet_cost, np.where(np.isnan(margin), 0.0, margin)


def check_demand(facts: Facts, claims: Claims, admissions: Admissions, unmet: Unmet, book: Notebook) -> Fate:
    """Check that demand is served, waits or is lost as docs/semantics.md says, and give what became of it."""
    shape = claims.demand.shape
    rows = claims.find(facts, admissions.item, admissions.channel, admissions.zone, admissions.claim)
    book.true(
        "codes",
        rows >= 0,
        _row_place(facts, admissions),
        "a claim that asks for something",
        admissions.claim.to_numpy(),
    )
    arcs = facts.arc_of(admissions.site, admissions.channel, admissions.zone)
    book.true("fulfilment", arcs >= 0, _row_place(facts, admissions), "a fulfilment row", "none")
    served = grid(shape, rows, admissions.bucket, admissions.quantity)
    gone = claims.find(facts, unmet.item, unmet.channel, unmet.zone, unmet.claim)
    book.true("codes", gone >= 0, _row_place(facts, unmet), "a claim that asks for something", unmet.claim.to_numpy())
    lost = grid(shape, np.where(unmet.waiting, -1, gone), unmet.bucket, unmet.quantity)
    waiting = grid(shape, np.where(unmet.waiting, gone, -1), unmet.bucket, unmet.quantity)
    fate = _follow(claims, served)
    every = np.arange(shape[0])
    book.equal("demand", claims.demand.sum(1), (served + lost + waiting).sum(1), claims.place(facts, every))
    _check_age(facts, claims, served, lost, waiting, fate, book)
    _check_cost(facts, claims, unmet, gone, book)
    return fate


def _follow(claims: Claims, served: Floats) -> Fate:
    """Let every claim's demand age: the oldest is served first, what lapses unserved is lost in that bucket."""
    lost, backlog = np.zeros_like(served), np.zeros_like(served)
    gone, asked, lapsed = (np.zeros(len(served)) for _ in range(3))
    for bucket in range(served.shape[1]):
        asked = asked + claims.demand[:, bucket]
        lapsed = lapsed + claims.lapsing[:, bucket]
        gone = gone + served[:, bucket]
        drop = lapsed - gone
        drop = np.where(drop > 1e-9 * np.maximum(1.0, lapsed), drop, 0.0)
        gone = gone + drop
        lost[:, bucket] = drop
        backlog[:, bucket] = np.maximum(asked - gone, 0.0)
    return Fate(served, lost, backlog)


def _check_age(
    facts: Facts, claims: Claims, served: Floats, lost: Floats, waiting: Floats, fate: Fate, book: Notebook
) -> None:
    rows, buckets = np.divmod(np.arange(served.size), served.shape[1])
    place = claims.place(facts, rows, buckets)

    def noted(words: str) -> Place:
        return lambda k: f"{place(k)}, {words}"

    gone = np.cumsum(served + fate.lost, axis=1).ravel()
    book.at_most(
        "demand_age",
        gone,
        np.cumsum(claims.demand, axis=1).ravel(),
        noted("served or lost so far, of demand so far"),
    )
    book.equal("demand_age", fate.lost.ravel(), lost.ravel(), noted("lost"))
    last = np.zeros_like(served)
    if served.shape[1]:
        last[:, -1] = fate.backlog[:, -1]
    book.equal("demand_age", last.ravel(), waiting.ravel(), noted("waiting"))


def _check_cost(facts: Facts, claims: Claims, unmet: Unmet, rows: Whole, book: Notebook) -> None:
    """Check the cost column: what is lost at its unmet cost; what waits has been paid for as lateness, so 0."""
    known = np.flatnonzero(rows >= 0)
    lost = np.where(unmet.waiting, 0.0, unmet.quantity)[known]
    expected = lost * claims.unmet_cost[rows[known]]
    book.equal("unmet_cost", expected, unmet.cost[known], claims.place(facts, rows[known], unmet.bucket[known]))


def _row_place(facts: Facts, rows: Admissions | Unmet) -> Place:
    columns: dict[str, Any] = {"item": rows.item, "channel": rows.channel, "zone": rows.zone, "bucket": rows.bucket}
    if isinstance(rows, Admissions):
        columns["site"] = rows.site
    return facts.place(**columns)
