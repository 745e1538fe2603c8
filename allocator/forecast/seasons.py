"""Days of demand cut into whole seasons, and what follows from them by weighing alone: means, shapes, quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.history import Daily
from allocator.network.marginals import LEVELS

FloatArray = NDArray[np.float64]

HALF_LIFE = 8.0
"""[seasons] A season so much older counts half as much."""
LEAST_SEASONS = 2
"""A series that began later is taken to have sold nothing before: two weeks of luck are not a rate."""
TRUST = 3.0
"""Sales days at which a series' own shape over the season counts as much as that of its zone."""


@dataclass(frozen=True)
class Seasons:
    """Demand of n series in w whole seasons of s days; the last one ends with the last day that is known.

    Attributes
    ----------
    demand : (n, w, s) float
        [units/day]
    weight : (n, w, s) float
        0 where demand is not known, else halved every `HALF_LIFE` seasons.
    begun : (n,) int
        First season that says something about a series.
    group : (n,) int
        Which channel and zone a series belongs to: their series share the days on which the place sells.
    """

    demand: FloatArray
    weight: FloatArray
    begun: NDArray[np.int64]
    group: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of seasons."""
        return int(self.demand.shape[1])

    @property
    def mean(self) -> FloatArray:
        """(n, s) weighted mean of each day of the season. [units/day]"""
        total = self.weight.sum(axis=1)
        return np.asarray((self.demand * self.weight).sum(axis=1) / np.where(total > 0, total, 1.0))

    @property
    def variance(self) -> FloatArray:
        """(n, s) weighted variance of each day of the season around its mean. [units^2/day^2]"""
        total = self.weight.sum(axis=1)
        spread = (self.demand - self.mean[:, None]) ** 2 * self.weight
        return np.asarray(spread.sum(axis=1) / np.where(total > 0, total, 1.0))

    @property
    def totals(self) -> FloatArray:
        """(n, w) demand of each season; a day that is not known counts as its mean. [units]"""
        return np.asarray(np.where(self.weight > 0, self.demand, self.mean[:, None]).sum(axis=2))

    @property
    def lumps(self) -> FloatArray:
        """(n,) mean size of a day's sale, each unit asked: with sales days at random it is variance over mean. [units]"""
        taken = (self.demand * self.weight).sum(axis=(1, 2))
        squares = (self.demand**2 * self.weight).sum(axis=(1, 2))
        return np.asarray(squares / np.where(taken > 0, taken, 1.0))

    def until(self, count: int) -> Seasons:
        """Give the first seasons alone, weighed as if the rest were yet to come."""
        age = 0.5 ** ((self.count - count) / HALF_LIFE)
        return Seasons(
            self.demand[:, :count], self.weight[:, :count] / age, np.minimum(self.begun, count - 1), self.group
        )

    def shape(self) -> FloatArray:
        """(n, s) share of a season's demand that falls on each of its days; the less a series sold, the more that of its zone."""
        mean, sales = self.mean, ((self.demand > 0) & (self.weight > 0)).sum(axis=(1, 2))[:, None]
        zones = np.zeros((int(self.group.max()) + 1, mean.shape[1]))
        np.add.at(zones, self.group, mean)
        own, theirs = _shares(mean), _shares(zones)[self.group]
        trust = sales / (sales + TRUST)
        return np.asarray(trust * own + (1 - trust) * theirs)

    def quantiles(self) -> FloatArray:
        """(n, s, 7) weighted quantiles of each day of the season, straight lines between what was seen. [units/day]"""
        values = np.where(self.weight > 0, self.demand, np.inf)  # what is not known comes last, without weight
        order = np.argsort(values, axis=1, kind="stable")
        seen, weight = np.take_along_axis(values, order, axis=1), np.take_along_axis(self.weight, order, axis=1)
        largest = np.where(self.weight > 0, self.demand, 0.0).max(axis=1, keepdims=True)
        seen = np.minimum(seen, largest)
        below = np.cumsum(weight, axis=1) - weight
        top = np.where(weight > 0, below, 0.0).max(axis=1, keepdims=True)
        place = below / np.where(top > 0, top, 1.0)  # 0 at the least, 1 at the largest value
        return np.stack([_at(place, seen, level) for level in LEVELS], axis=2)


def cut(grid: Daily, season: int) -> Seasons:
    """Cut days into seasons.

    Raises
    ------
    ValueError
        When the history is shorter than two seasons.
    """
    count = grid.days // season
    if count < 2:
        raise ValueError(
            f"{grid.days} days of sales are less than two seasons of {season}; give a longer history or a shorter season"
        )
    kept = count * season
    demand = grid.demand[:, -kept:].reshape(len(grid.keys), count, season)
    known = grid.known[:, -kept:].reshape(demand.shape)
    before = np.cumsum(grid.demand > 0, axis=1)[:, -kept:].reshape(demand.shape) == 0
    recent = np.arange(count) >= count - LEAST_SEASONS
    known = known | (before & recent[:, None])
    first = np.argmax(known.any(axis=2), axis=1).astype(np.int64)
    begun = np.minimum(first, np.int64(count - LEAST_SEASONS))
    age = 0.5 ** ((count - 1 - np.arange(count)) / HALF_LIFE)
    group: NDArray[np.int64] = np.asarray(grid.keys.groupby(["channel", "zone"], sort=True).ngroup(), np.int64)
    return Seasons(demand, known * age[:, None], begun, group)


def _shares(amounts: FloatArray) -> FloatArray:
    total = amounts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, amounts / np.where(total > 0, total, 1.0), 1.0 / amounts.shape[1]))


def _at(place: FloatArray, seen: FloatArray, level: float) -> FloatArray:
    """Value at one level: (n, w, s) rising places and values to (n, s)."""
    lower = np.clip((place <= level).sum(axis=1) - 1, 0, place.shape[1] - 2)[:, None]
    low, high = (np.take_along_axis(place, lower + step, axis=1)[:, 0] for step in (0, 1))
    value, following = (np.take_along_axis(seen, lower + step, axis=1)[:, 0] for step in (0, 1))
    part = np.where(high > low, (level - low) / np.where(high > low, high - low, 1.0), 0.0)
    return np.asarray(value + np.clip(part, 0.0, 1.0) * (following - value))
