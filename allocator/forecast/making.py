"""Forecasts from history, as the table a network folder takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.forecast.classes import CLASSES
from allocator.forecast.predicting import Prediction, Tell, predict_days, silent
from allocator.history import History, daily
from allocator.tables.schema import QUANTILES

MOST_DAYS = 1096
"""Only the last three years are looked at: older sales have no weight left."""
DIGITS = 4
"""Decimals of the table; a mean that rounds to 0 is no row."""


@dataclass(frozen=True)
class Forecast:
    """Quantile forecasts.

    Attributes
    ----------
    frame : DataFrame
        Columns of the table `forecasts`, sorted by its key, days as timestamps. A row has quantiles, or a std where quantiles of what was seen
        say nothing (a series that is young or sells too seldom). [units]
    classes : DataFrame
        class, series, method.
    notes : tuple of str
    """

    frame: pd.DataFrame
    classes: pd.DataFrame
    notes: tuple[str, ...]


def forecast_history(
    history: History, start: dt.date, days: int, *, season: int = 7, workers: int = 1, tell: Tell = silent
) -> Forecast:
    """Forecast demand by item, channel, zone and day from the sales before a day.

    Parameters
    ----------
    history : History
        From :func:`allocator.history.read_history`. Lines from `start` on are not looked at.
    start : date
        First day forecast.
    days : int
        Number of days forecast.
    season : int
        Days after which sales repeat: 7, the week.
    workers : int
        Processes; the result does not depend on them.
    tell : callable
        Is told the stage.

    Raises
    ------
    ValueError
        When less than two seasons of sales lie before `start`.
    LibraryMissingError
        Without the extra ``[forecast]``.
    """
    grid = daily(history, start, MOST_DAYS)
    gap = (start - grid.end).days
    made = predict_days(grid, gap, days, season, workers, tell)
    frame, rowless = _frame(made, start)
    notes = list(history.notes)
    if gap >= season:
        notes.append(
            f"the last sale is of {grid.end - dt.timedelta(1)}, {gap} days before {start}: what came since is not known"
        )
    if rowless:
        notes.append(f"{rowless:,} of {len(grid.keys):,} series have nothing to expect and no row")
    return Forecast(frame, _classes(made), tuple(notes))


def _frame(made: Prediction, start: dt.date) -> tuple[pd.DataFrame, int]:
    """Give the table, and the number of series without a row."""
    mean = made.mean.round(DIGITS)
    series, day = np.nonzero(mean > 0)
    told = made.seen[series, day]
    frame = made.keys.take(series).reset_index(drop=True)
    frame["date"] = pd.Timestamp(start) + pd.to_timedelta(day, unit="D")
    frame["mean"] = mean[series, day]
    frame["std"] = np.where(told, np.nan, made.std[series, day].round(DIGITS))
    quantiles = made.quantiles[series, day].round(DIGITS)
    for at, name in enumerate(QUANTILES):
        frame[name] = np.where(told, quantiles[:, at], np.nan)
    return frame, len(made.keys) - len(np.unique(series))


def _classes(made: Prediction) -> pd.DataFrame:
    counts = np.bincount(made.kind, minlength=len(CLASSES))
    rows = {"class": list(CLASSES), "series": counts, "method": [made.method[name] for name in CLASSES]}
    return pd.DataFrame(rows)
