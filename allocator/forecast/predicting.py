"""From a daily grid to the distribution of every coming day: level of the season, shape within it, spread around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.forecast.classes import CLASSES, classify
from allocator.forecast.crew import Task, run
from allocator.forecast.levels import LEAST, PLAIN, candidates, held
from allocator.forecast.loss import pinball
from allocator.forecast.seasons import FloatArray, Seasons, cut
from allocator.history import Daily
from allocator.network.marginals import LEVELS, draw_marginals

ORIGINS = 4
"""Seasons before the start that the methods are tried on."""
BETTER = 0.98
"""A method replaces the plain mean where its loss is at most this share of the mean's: less is luck."""
Tell = Callable[[str], None]


def silent(stage: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Prediction:
    """Demand of n series on d coming days.

    Attributes
    ----------
    keys : DataFrame
        item, channel, zone.
    mean, std : (n, d) float
        [units/day]
    quantiles : (n, d, 7) float
        [units/day]
    seen : (n, d) bool
        Whether the quantiles are of what was seen; else they are those of a negative binomial (gamma) of mean and std: where a series is
        young, or sells so seldom that its seen quantiles are all 0.
    kind : (n,) int
        Index into `CLASSES`.
    method : dict of str to str
        Method of each class.
    """

    keys: pd.DataFrame
    mean: FloatArray
    std: FloatArray
    quantiles: FloatArray
    seen: NDArray[np.bool_]
    kind: NDArray[np.int64]
    method: dict[str, str]


def predict_days(grid: Daily, gap: int, days: int, season: int, workers: int = 1, tell: Tell = silent) -> Prediction:
    """Predict days that begin `gap` days after the grid's last one.

    Raises
    ------
    ValueError
        When the history is shorter than two seasons.
    LibraryMissingError
    """
    seasons = cut(grid, season)
    kind = classify(seasons)
    tell("choosing methods")
    method = choose(seasons, kind, workers)
    tell("forecasting")
    ahead = -(-(gap + days) // season)
    level = _levels(seasons, kind, method, ahead, workers)
    day = gap + np.arange(days)
    return _spread(grid.keys, seasons, kind, method, level[:, day // season], day % season)


def choose(seasons: Seasons, kind: NDArray[np.int64], workers: int) -> dict[str, str]:
    """Give each class the method that would have done best on the last seasons, each forecast from those before it."""
    chosen = dict.fromkeys(CLASSES, PLAIN)
    origins = [seasons.count - back for back in range(1, ORIGINS + 1) if seasons.count - back >= LEAST]
    if not origins:
        return chosen
    losses = {name: np.zeros(len(candidates(name))) for name in CLASSES}
    rows = {name: np.flatnonzero(kind == at) for at, name in enumerate(CLASSES)}
    known = [seasons.until(origin) for origin in origins]
    asked = [
        (at, name, number, Task(method, past.totals[rows[name]], past.begun[rows[name]], 1))
        for at, past in enumerate(known)
        for name in CLASSES
        for number, method in enumerate(candidates(name))
        if method != PLAIN and len(rows[name])
    ]
    found = run([task for *_, task in asked], workers)
    for at, past in enumerate(known):
        mean, spread = past.mean.sum(axis=1), past.quantiles()
        shown, sure = seasons.demand[:, past.count], seasons.weight[:, past.count] > 0
        levels = {(name, 0): mean[mine] for name, mine in rows.items()}
        for (when, name, number, _), answer in zip(asked, found, strict=True):
            if when == at:
                levels[name, number] = held(answer, mean[rows[name]])[:, 0]
        for (name, number), level in levels.items():
            mine = rows[name]
            ratio = level / np.where(mean[mine] > 0, mean[mine], 1.0)
            losses[name][number] += pinball(shown[mine], spread[mine] * ratio[:, None, None], sure[mine]).sum()
    for name, loss in losses.items():
        best = int(np.argmin(loss))
        if loss[best] <= BETTER * loss[0]:
            chosen[name] = candidates(name)[best]
    return chosen


def _levels(seasons: Seasons, kind: NDArray[np.int64], method: dict[str, str], ahead: int, workers: int) -> FloatArray:
    """Demand of each coming season, by the method of the series' class: (n, ahead)."""
    mean = seasons.mean.sum(axis=1)
    out = np.repeat(mean[:, None], ahead, axis=1)
    rows = [np.flatnonzero(kind == CLASSES.index(name)) for name in method]
    asked = [(mine, name) for mine, name in zip(rows, method.values(), strict=True) if name != PLAIN and len(mine)]
    totals = seasons.totals
    tasks = [Task(name, totals[mine], seasons.begun[mine], ahead) for mine, name in asked]
    for (mine, _), found in zip(asked, run(tasks, workers), strict=True):
        out[mine] = held(found, mean[mine])
    return out


def _spread(
    keys: pd.DataFrame,
    seasons: Seasons,
    kind: NDArray[np.int64],
    method: dict[str, str],
    level: FloatArray,
    place: NDArray[np.int64],
) -> Prediction:
    """Put levels (n, d) on days of the season (d,), and what was seen on such days around them."""
    usual = seasons.mean.sum(axis=1)
    ratio = level / np.where(usual > 0, usual, 1.0)[:, None]
    mean = level * seasons.shape()[:, place]
    seen = seasons.quantiles()[:, place] * ratio[:, :, None]
    # sales days at random, each of the series' usual size (compound Poisson), or wider where wider was seen
    variance = np.maximum(seasons.variance[:, place] * ratio**2, mean * seasons.lumps[:, None])
    told = (seasons.count - seasons.begun >= LEAST)[:, None] & (seen[:, :, -1] > 0)
    std = np.sqrt(variance)
    counted = (seasons.demand == np.round(seasons.demand)).all(axis=(1, 2))
    quantiles = np.where(told[:, :, None], seen, 0.0)
    other = ~told & (mean > 0)
    if other.any():
        quantum = np.broadcast_to(counted[:, None].astype(float), mean.shape)[other]
        blank = np.full((int(other.sum()), len(LEVELS)), np.nan)
        levels = np.broadcast_to(np.array(LEVELS), blank.shape)
        quantiles[other] = draw_marginals(mean[other], std[other], blank, quantum, levels)
    return Prediction(keys, mean, std, quantiles, told, kind, method)
