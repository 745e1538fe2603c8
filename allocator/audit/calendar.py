"""The calendar the audit counts by: day numbers, buckets, departures and the commit window."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from allocator.audit.keys import NEVER, Flags, Whole, whole

if TYPE_CHECKING:
    from allocator.tables import Settings


@dataclass(frozen=True)
class Calendar:
    """Days from the start of the plan, and the buckets they fall in.

    Attributes
    ----------
    start : datetime.date
        Day 0.
    first, length : (B,) int, [day]
        First day of each bucket and how many days it holds.
    committed : (B,) bool
        Buckets whose first day lies inside the commit window.
    bucket_of : (H,) int
        Bucket of each day of the horizon.
    """

    start: datetime.date
    first: Whole
    length: Whole
    committed: Flags
    bucket_of: Whole

    @classmethod
    def of(cls, settings: Settings) -> Calendar:
        """Read the calendar off the settings."""
        length = whole(settings.buckets)
        first = whole(np.cumsum(length) - length)
        bucket_of = whole(np.repeat(np.arange(len(length)), length))
        return cls(settings.start, first, length, first < settings.commit_days, bucket_of)

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return len(self.length)

    @property
    def horizon(self) -> int:
        """Number of days."""
        return len(self.bucket_of)

    def days(self, dates: pd.Series[Any], missing: int = NEVER) -> Whole:
        """Number the days of a column of dates from the start; `missing` where there is none."""
        stamps = np.asarray(pd.to_datetime(dates), dtype="datetime64[D]")
        numbers = (stamps - np.datetime64(self.start, "D")).astype(np.int64)
        return np.where(np.isnat(stamps), missing, numbers)

    def buckets_at(self, days: Whole) -> Whole:
        """Give the bucket of each day; -1 outside the horizon."""
        inside = (days >= 0) & (days < self.horizon)
        return np.where(inside, self.bucket_of[np.where(inside, days, 0)], -1)

    def date(self, day: int) -> str:
        """Write a day number as an ISO date."""
        return "never" if day >= NEVER else (self.start + datetime.timedelta(days=int(day))).isoformat()

    def departures(self, departs: pd.Series[Any]) -> Flags:
        """Tell on which days of the horizon each lane departs.

        Parameters
        ----------
        departs : (L,) str
            Seven flags, Monday first, such as `1111100`.

        Returns
        -------
        (L, H) bool
        """
        text = departs.astype(str).to_list()
        week = np.array([[mark == "1" for mark in pattern] for pattern in text], dtype=bool).reshape(len(text), 7)
        weekdays = (self.start.weekday() + np.arange(self.horizon)) % 7
        return week[:, weekdays]

    def ship_days(self, departing: Flags) -> tuple[Whole, Whole]:
        """Give each lane's ship day in each bucket, -1 for none, and the count of departing days; both (L, B)."""
        days = np.where(departing, np.arange(self.horizon)[None, :], NEVER)
        first = np.minimum.reduceat(days, self.first, axis=1) if len(days) else np.zeros((0, self.buckets))
        count = np.add.reduceat(departing.astype(np.int64), self.first, axis=1) if len(days) else first
        return whole(np.where(first >= NEVER, -1, first)), whole(count)
