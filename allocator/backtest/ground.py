"""The ground a backtest is played on: the network coded once for all its days, daily, with nothing planned."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse.csgraph import csgraph_from_dense, shortest_path

from allocator.network import Network, build_network, coding
from allocator.tables import Tables
from allocator.tables.notes import BEHIND

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

WEEK = 7


@dataclass(frozen=True)
class Way:
    """One site that may serve a channel and zone: site, delivery days, fulfilment cost [currency per unit]."""

    site: int
    delivery: int
    cost: float


@dataclass(frozen=True)
class Ground:
    """What does not change while a backtest runs.

    Attributes
    ----------
    tables : Tables
        The network as it was read, its forecasts drawn out over all the days a plan may look at.
    network : Network
        Coded over the days played, in daily buckets.
    days : int
    ends : int or None
        First day without a forecast, where the season ends with the forecasts; None where their last week repeats.
    ways : dict
        (channel, zone) -> sites that may serve it, cheapest first.
    priority, wait, life : (C,) int
        Of each channel: 1 = served first; days a backordered unit may wait; least remaining life at delivery.
    counter : (C, S, Z) bool
        The channel takes what is on the site's shelf at once: nobody books ahead of it (see `counters`).
    behind : tuple of str
        Notes on rows that come after the last day played.
    """

    tables: Tables
    network: Network
    days: int
    ends: int | None
    ways: dict[tuple[int, int], list[Way]]
    priority: IntArray
    wait: IntArray
    life: IntArray
    counter: BoolArray
    behind: tuple[str, ...]

    @property
    def start(self) -> dt.date:
        """First day played."""
        return self.network.calendar.start

    @property
    def counter_only(self) -> bool:
        """Whether all demand is served over the counter: nothing is booked."""
        return all(
            self.counter[channel, way.site, zone] for (channel, zone), found in self.ways.items() for way in found
        )

    @property
    def longest_way(self) -> int:
        """Days that goods need at most from where stock lies or comes in to a site that serves customers, by the quickest lanes."""
        lanes, sites = self.network.lanes, self.network.sites.codes
        lead = np.full((len(sites), len(sites)), np.inf)
        np.minimum.at(lead, (lanes.origin, lanes.destination), lanes.lead.astype(np.float64))
        days = shortest_path(csgraph_from_dense(lead, null_value=np.inf))
        np.fill_diagonal(days, 0.0)
        held = {site for table in ("lots", "receipts") for site in self.tables[table]["site"].to_pylist()}
        serving = sorted({way.site for found in self.ways.values() for way in found})
        reached = days[np.ix_([k for k, site in enumerate(sites) if site in held], serving)]
        return int(reached[np.isfinite(reached)].max(initial=0.0))

    def date(self, day: int) -> dt.date:
        """Date of a day number."""
        return self.start + dt.timedelta(days=int(day))


def build_ground(tables: Tables, days: int) -> Ground:
    """Lay out a network over the days of a backtest.

    Parameters
    ----------
    tables : Tables
    days : int
        Days played, from the network's start. Where they are more than the forecasts cover, the forecasts' last week repeats.

    Returns
    -------
    Ground

    Raises
    ------
    ValueError
        When less than a week of forecasts would have to repeat.
    """
    settings = tables.settings
    forecasts, ends = drawn_out(tables, days)
    known = tables.replace(forecasts=forecasts)
    whole = settings.model_copy(
        update={"horizon_days": days, "buckets": (1,) * days, "commit_days": 1, "outlooks": 2, "previous_plan": None}
    )
    laid = known.replace(settings=whole)
    network = build_network(laid)
    # forecasts of later days are used: plans look past the last day played
    behind = tuple(note for note in laid.notes if BEHIND in note and not note.startswith("forecasts"))
    table = tables["channels"]
    order = coding.ranks(table, "channel", network.channels)
    priority, wait, life = (np.zeros(len(order), dtype=np.int64) for _ in range(3))
    priority[order] = coding.wholes(table, "priority")
    wait[order] = np.where(network.channel_waits[order], coding.wholes(table, "max_wait_days"), 0)
    life[order] = coding.wholes(table, "min_remaining_life_days")
    ways = _ways(tables, network)
    return Ground(known, network, days, ends, ways, priority, wait, life, _counters(network, ways, priority), behind)


def drawn_out(tables: Tables, days: int) -> tuple[pd.DataFrame, int | None]:
    """Forecasts over all days that a plan of the backtest may look at; the day they end, None where their last week repeats."""
    table = tables.frame("forecasts")
    start = pd.Timestamp(tables.settings.start)
    day = (table["date"] - start).dt.days
    table, day = table[day >= 0], day[day >= 0]
    covered = int(day.max()) + 1 if len(day) else 0
    if days <= covered or not covered:
        return table, covered or days
    if covered < WEEK:
        raise ValueError(
            f"the forecasts cover {covered} days from the start, less than the week that must repeat to play {days} days; "
            f"give forecasts for all days, or play {covered}"
        )
    last = table[day >= covered - WEEK]
    repeats = range(1, -(-(days + tables.settings.horizon_days - covered) // WEEK) + 1)
    later = [last.assign(date=last["date"] + pd.Timedelta(days=WEEK * k)) for k in repeats]
    return pd.concat([table, *later], ignore_index=True), None


def _ways(tables: Tables, network: Network) -> dict[tuple[int, int], list[Way]]:
    table = tables["fulfilment"]
    site = coding.ranks(table, "site", network.sites.codes)
    channel = coding.ranks(table, "channel", network.channels)
    zone = coding.ranks(table, "zone", network.zones)
    delivery, cost = coding.wholes(table, "delivery_days"), coding.amounts(table, "cost_per_unit", 0.0)
    ways: dict[tuple[int, int], list[Way]] = {}
    for row in np.lexsort((site, cost)):
        ways.setdefault((int(channel[row]), int(zone[row])), []).append(
            Way(int(site[row]), int(delivery[row]), float(cost[row]))
        )
    return ways


def _counters(network: Network, ways: dict[tuple[int, int], list[Way]], priority: IntArray) -> BoolArray:
    """Where demand is served over the counter: a site's own zone, or the first in line at a site that supplies no other.

    Such customers see the shelf: they are never refused while there is stock and never cancelled; what is not there is lost.
    """
    counter = np.zeros((len(network.channels), len(network.sites.codes), len(network.zones)), dtype=bool)
    first: dict[int, int] = {}
    for (channel, _), found in ways.items():
        for way in found:
            first[way.site] = min(first.get(way.site, int(priority[channel])), int(priority[channel]))
    supplies = np.zeros(len(network.sites.codes), dtype=bool)
    supplies[network.lanes.origin] = True
    at_first: dict[int, set[int]] = {}
    for (channel, _), found in ways.items():
        for way in found:
            if priority[channel] == first[way.site]:
                at_first.setdefault(way.site, set()).add(channel)
    for (channel, zone), found in ways.items():
        for way in found:
            own = network.zones[zone] == network.sites.codes[way.site]
            alone = at_first.get(way.site) == {channel} and not supplies[way.site]
            waits = bool(network.channel_waits[channel])
            counter[channel, way.site, zone] = own or (alone and not waits and priority[channel] == first[way.site])
    return counter
