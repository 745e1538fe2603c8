"""The calendar of a plan: which bucket a date belongs to, and the first day and length of each bucket."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from allocator.tables import Tables

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """The horizon cut into buckets.

    Attributes
    ----------
    start : datetime.date
        Day 0.
    first : (B,) int, [day]
        First day of each bucket, counted from day 0.
    length : (B,) int, [day]
        Days in each bucket.
    """

    start: datetime.date
    first: Whole
    length: Whole

    @classmethod
    def of(cls, tables: Tables) -> Days:
        """Read the calendar off a network's settings."""
        length = np.asarray(tables.settings.buckets, dtype=np.int64)
        return cls(tables.settings.start, np.concatenate([[0], np.cumsum(length)[:-1]]).astype(np.int64), length)

    @property
    def count(self) -> int:
        """Return the number of buckets."""
        return len(self.length)

    @property
    def horizon(self) -> int:
        """Return the number of days."""
        return int(self.length.sum())

    def numbers(self, dates: pd.Series) -> Floats:
        """Count the days from day 0 to each date; a missing date is NaN."""
        stamps = _stamps(dates)
        return np.where(np.isnat(stamps), np.nan, (stamps - np.datetime64(self.start, "D")).astype(np.float64))

    def buckets(self, days: Floats) -> Whole:
        """Give the bucket that holds each day number; -1 for a day outside the horizon or missing."""
        inside = np.isfinite(days) & (days >= 0) & (days < self.horizon)
        found = np.searchsorted(self.first, np.where(inside, days, 0.0), side="right") - 1
        return np.where(inside, found, -1).astype(np.int64)

    def buckets_of(self, dates: pd.Series | pa.ChunkedArray) -> Whole:
        """Give the bucket that holds each date; -1 for a date outside the horizon or missing."""
        days = (_stamps(dates) - np.datetime64(self.start, "D")).astype(np.int64)  # a missing date: far below 0
        inside = (days >= 0) & (days < self.horizon)
        bucket = np.append(np.repeat(np.arange(self.count), self.length), -1)
        return bucket[np.where(inside, days, -1)]

    def dates(self) -> list[datetime.date]:
        """List the first date of every bucket."""
        return [self.start + datetime.timedelta(days=int(day)) for day in self.first]


def _stamps(dates: pd.Series | pa.ChunkedArray) -> NDArray[np.datetime64]:
    if isinstance(dates, pa.ChunkedArray):
        return np.asarray(dates.cast(pa.date32()).to_numpy(), dtype="datetime64[D]")
    stamps = dates if isinstance(dates.dtype, np.dtype) and dates.dtype.kind == "M" else pd.to_datetime(dates)
    return np.asarray(stamps.to_numpy(), dtype="datetime64[D]")


def tally(rows: Whole, amounts: Floats, count: int) -> Floats:
    """Add amounts by row, (count,); a negative row is left out."""
    keep = rows >= 0
    return np.bincount(rows[keep], weights=amounts[keep], minlength=count).astype(np.float64)


def per_bucket(rows: Whole, buckets: Whole, amounts: Floats, shape: tuple[int, int]) -> Floats:
    """Add amounts into a (row, bucket) grid; a negative row or bucket is left out.

    Parameters
    ----------
    rows, buckets : (N,) int
        Where each amount belongs.
    amounts : (N,) float
        What is added.
    shape : (int, int)
        Rows and buckets of the grid.
    """
    keep = (rows >= 0) & (buckets >= 0)
    grid = np.bincount(rows[keep] * shape[1] + buckets[keep], weights=amounts[keep], minlength=shape[0] * shape[1])
    return grid.astype(np.float64).reshape(shape)


DATES = ("date", "ship_date", "arrive_date", "expiry_date", "received_date")


def dated(plan: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give a plan's tables with their date columns as timestamps; read back from Parquet they are plain dates."""
    return {
        name: frame.assign(**{column: pd.to_datetime(frame[column]) for column in DATES if column in frame.columns})
        for name, frame in plan.items()
    }
