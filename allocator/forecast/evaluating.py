"""Rolling-origin evaluation: what the forecasts would have been worth, beside the seasonal naive's."""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd

from allocator.forecast.classes import CLASSES
from allocator.forecast.levels import library
from allocator.forecast.loss import pinball
from allocator.forecast.making import MOST_DAYS
from allocator.forecast.predicting import Tell, predict_days, silent
from allocator.forecast.seasons import FloatArray
from allocator.history import Daily, History, daily
from allocator.tables.schema import QUANTILES

INTERVALS = {50: ("p25", "p75"), 80: ("p10", "p90"), 90: ("p05", "p95")}
"""Quantiles at the ends of each central interval. [%]"""
_AT = {name: at for at, name in enumerate(QUANTILES)}


def evaluate(
    history: History, end: dt.date, days: int, origins: int, *, season: int = 7, workers: int = 1, tell: Tell = silent
) -> pd.DataFrame:
    """Forecast earlier stretches of days from what was known before each, and measure.

    Parameters
    ----------
    history : History
    end : date
        The last stretch ends the day before.
    days, origins : int
        Length and number of the stretches, one behind the other.
    season, workers, tell
        As for :func:`allocator.forecast.forecast_history`.

    Returns
    -------
    DataFrame
        A row a class that has series, and `all`: series (of the last stretch), demand (mean a day), pinball and naive (mean loss a day, ours
        and the seasonal naive's), gain (1 - pinball / naive), bias (forecast over demand - 1), rmse and naive_rmse, cover50, cover80 and
        cover90 (share of days inside the central interval), below05 ... below95 (share of days at or below each quantile).

    Raises
    ------
    ValueError
        When too little history lies before the first stretch, or none in the last.
    LibraryMissingError
    """
    grid = daily(history, end, MOST_DAYS)
    if (end - grid.end).days >= days:
        raise ValueError(
            f"no sales in the {days} days before {end}: there is nothing to measure against; give an earlier --start"
        )
    scores = []
    for number in range(origins):
        tell(f"stretch {number + 1} of {origins}")
        start = end - dt.timedelta(days * (origins - number))
        scores.append(_stretch(grid, start, days, season, workers))
    return _table(pd.concat(scores, ignore_index=True))


def _stretch(grid: Daily, start: dt.date, days: int, season: int, workers: int) -> pd.DataFrame:
    """Sums by class over one stretch."""
    past = grid.until(start)
    if not len(past.keys):
        raise ValueError(f"no sales before {start}; evaluate fewer or shorter stretches")
    made = predict_days(past, 0, days, season, workers)
    rows = _rows(grid, past)
    at = (start - grid.first).days
    # after the last line of any series nothing was sold
    demand, known = np.zeros((len(rows), days)), np.ones((len(rows), days), bool)
    shown = grid.demand[rows, at : at + days]
    demand[:, : shown.shape[1]] = shown
    known[:, : shown.shape[1]] = grid.known[rows, at : at + days]
    naive_mean, naive = seasonal_naive(past, days, season)
    sums = {
        "days": known,
        "demand": demand * known,
        "forecast": made.mean * known,
        "pinball": pinball(demand, made.quantiles, known),
        "naive": pinball(demand, naive, known),
        "rmse": (made.mean - demand) ** 2 * known,
        "naive_rmse": (naive_mean - demand) ** 2 * known,
    }
    for name, place in _AT.items():
        sums[f"below{name[1:]}"] = (demand <= made.quantiles[:, :, place]) & known
    for width, (low, high) in INTERVALS.items():
        inside = (demand >= made.quantiles[:, :, _AT[low]]) & (demand <= made.quantiles[:, :, _AT[high]])
        sums[f"cover{width}"] = inside & known
    frame = pd.DataFrame({name: part.sum(axis=1, dtype=float) for name, part in sums.items()})
    frame["class"], frame["series"] = np.array(CLASSES)[made.kind], 1
    return frame.groupby("class", sort=False).sum().reset_index().assign(stretch=start)


def seasonal_naive(past: Daily, days: int, season: int) -> tuple[FloatArray, FloatArray]:
    """Mean (n, d) and quantiles (n, d, 7) of the library's seasonal naive with its own intervals, not below 0. [units/day]"""
    model = library().SeasonalNaive(season_length=season)
    mean, quantiles = np.zeros((len(past.keys), days)), np.zeros((len(past.keys), days, len(QUANTILES)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, sold in enumerate(past.demand):
            made = model.forecast(y=sold, h=days, level=list(INTERVALS))
            mean[row] = quantiles[row, :, _AT["p50"]] = made["mean"]
            for width, (low, high) in INTERVALS.items():
                quantiles[row, :, _AT[low]], quantiles[row, :, _AT[high]] = made[f"lo-{width}"], made[f"hi-{width}"]
    return mean, np.maximum(quantiles, 0.0)


def _rows(grid: Daily, past: Daily) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Where the series of the past are in the whole grid."""
    names = list(grid.keys.columns)
    place = grid.keys.reset_index(names="row").merge(past.keys, on=names)
    return place.sort_values(names)["row"].to_numpy(np.int64)


def _table(sums: pd.DataFrame) -> pd.DataFrame:
    latest = sums["stretch"].max()
    series = sums[sums["stretch"] == latest].set_index("class")["series"]
    by_class = sums.drop(columns=["stretch", "series"]).groupby("class").sum()
    by_class = by_class.reindex([name for name in CLASSES if name in by_class.index])
    by_class.loc["all"] = by_class.sum()
    out = pd.DataFrame({"series": series.reindex(by_class.index).fillna(0).astype(int)})
    out.loc["all", "series"] = int(series.sum())
    for name in ("demand", "pinball", "naive"):
        out[name] = by_class[name] / by_class["days"]
    out["gain"] = 1.0 - by_class["pinball"] / by_class["naive"]
    out["bias"] = by_class["forecast"] / by_class["demand"] - 1.0
    for name in ("rmse", "naive_rmse"):
        out[name] = np.sqrt(by_class[name] / by_class["days"])
    for name in by_class.columns:
        if name.startswith(("cover", "below")):
            out[name] = by_class[name] / by_class["days"]
    return out.reset_index(names="class")
