"""Demand of other tools as forecasts by day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from allocator.init.mapping import ROW, TABLE, Left, Rows
from allocator.init.units import numbers, written

YEAR = 364
"""Days after which weekdays and seasons come again."""
TAILS = 2 * 1.2815515655446004
"""Distance of p10 and p90 of a normal distribution, in standard deviations."""
_KEYS = ["item", "channel", "zone", "date"]


def spread(rows: Rows, start: dt.date, left: list[Left]) -> Rows:
    """Forecasts of periods as forecasts of days.

    A period from ``date`` to before ``until`` is spread evenly over its days; its p10 and p90 become a std, days taken as independent.
    Days before the start are left out; forecasts of one day are added up.

    Parameters
    ----------
    rows : DataFrame
        item, channel, zone, date, until (blank: one day), mean, quantiles: all text.
    start : datetime.date
    left : list of Left
        Told here which rows lie before the start.
    """
    first = pd.to_datetime(rows["date"], format="%Y-%m-%d", errors="coerce")
    until = rows.get("until", pd.Series("", index=rows.index))
    last = pd.to_datetime(until, format="%Y-%m-%d", errors="coerce")
    days = (last - first).dt.days.fillna(1).clip(lower=1).astype(int)
    over = first.notna() & ((first + pd.to_timedelta(days, unit="D")) <= pd.Timestamp(start))
    for table, gone in rows[over].groupby(TABLE, sort=False):
        left.append(Left(str(table), gone[ROW].tolist(), f"is demand before {start}, the first day planned"))
    rows, first, days = rows[~over].copy(), first[~over], days[~over]
    long = days > 1
    figures = [name for name in rows.columns if name in ("mean", "std") or (name[0] == "p" and name[1:].isdigit())]
    values = {name: numbers(rows[name]) for name in figures}
    if "mean" in values and "p50" in values:
        values["mean"] = values["mean"].where(values["mean"].notna(), values["p50"])
    if long.any() and {"p10", "p90"} <= values.keys():
        std = (values["p90"] - values["p10"]) / TAILS
        values["std"] = values.get("std", pd.Series(np.nan, index=rows.index)).where(~long, std)
    for name, column in values.items():
        if name == "mean":
            column = column / days
        elif name == "std":
            column = column / np.sqrt(days)
        else:
            column = column.mask(long)
        rows[name] = written(column).where(
            column.notna() | (name != "mean"), rows[name] if name in rows.columns else ""
        )
    lengths = days.to_numpy()
    at = np.repeat(np.arange(len(rows)), lengths)
    step = np.arange(len(at)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    out = rows.iloc[at].reset_index(drop=True).drop(columns="until", errors="ignore")
    date = first.iloc[at].reset_index(drop=True) + pd.to_timedelta(step, unit="D")
    out["date"] = date.dt.strftime("%Y-%m-%d").where(date.notna(), out["date"])
    out = out[~(date < pd.Timestamp(start))].reset_index(drop=True)
    return _added(out)


def _added(rows: Rows) -> Rows:
    """Several forecasts of one item, channel, zone and day: their means added; a std only of single ones."""
    again = rows.duplicated(_KEYS, keep=False)
    if not again.any():
        return rows
    twice = rows[again]
    mean = numbers(twice["mean"]).groupby([twice[key] for key in _KEYS], sort=False).sum().reset_index()
    first = twice.drop_duplicates(_KEYS)[[*_KEYS, TABLE, ROW]].merge(mean, on=_KEYS)
    return pd.concat([rows[~again], first.assign(mean=written(first["mean"]))], ignore_index=True).fillna("")


def naive(history: Rows, start: dt.date, days: int) -> Rows:
    """Each day of the horizon expects what was sold 52 weeks before, week by week where sales are.

    Parameters
    ----------
    history : DataFrame
        item, channel, zone, date, quantity: all text.
    start : datetime.date
    days : int
    """
    day = pd.to_datetime(history["date"], format="%Y-%m-%d", errors="coerce") + pd.Timedelta(days=YEAR)
    inside = (day >= pd.Timestamp(start)) & (day < pd.Timestamp(start) + pd.Timedelta(days=days))
    rows = history[inside].rename(columns={"quantity": "mean"}).assign(date=day[inside].dt.strftime("%Y-%m-%d"))
    return _added(rows[[*_KEYS, "mean", TABLE, ROW]].reset_index(drop=True))
