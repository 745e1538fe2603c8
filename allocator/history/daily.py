"""Sales lines as one row a series and one column a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from allocator.history.reading import History

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

SERIES = ["item", "channel", "zone"]
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True)
class Daily:
    """Demand of n series on t consecutive days.

    Attributes
    ----------
    keys : DataFrame
        item, channel, zone of each series, sorted.
    first : date
        First day of the grid.
    demand : (n, t) float
        0 on days without a line. [units/day]
    known : (n, t) bool
        False before a series' first sale, and where stock had run out.
    """

    keys: pd.DataFrame
    first: dt.date
    demand: FloatArray
    known: BoolArray

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.demand.shape[1])

    @property
    def end(self) -> dt.date:
        """The day after the last one."""
        return self.first + dt.timedelta(days=self.days)

    def until(self, day: dt.date) -> Daily:
        """Give what was known before a day: series whose first sale is earlier, and no day from it on."""
        kept = min(max((day - self.first).days, 0), self.days)
        known = self.known[:, :kept]
        begun = np.flatnonzero((self.demand[:, :kept] > 0).any(axis=1))
        return Daily(self.keys.take(begun).reset_index(drop=True), self.first, self.demand[begun, :kept], known[begun])


def daily(history: History, before: dt.date | None = None, most: int | None = None) -> Daily:
    """Add up the lines of each series and day.

    Parameters
    ----------
    history : History
    before : date, optional
        Only lines earlier than this day are looked at: nothing of the result depends on later ones.
    most : int, optional
        Only the last so many days are looked at.

    Returns
    -------
    Daily
        From the first day of any line through the last day of any line. A series begins with its first sale.

    Raises
    ------
    ValueError
        When no sale is left.
    """
    table = _looked_at(history, before, most)
    day, quantity = _days(table), table.column("quantity").to_numpy()
    columns = [table.column(name).combine_chunks() for name in SERIES]
    index = [column.indices.to_numpy(zero_copy_only=False) for column in columns]
    change = np.any([np.diff(part, prepend=-1) != 0 for part in index], axis=0)
    series, head = np.cumsum(change) - 1, pa.array(np.flatnonzero(change))
    words = [column.take(head).cast(pa.string()).to_pandas() for column in columns]
    first = int(day.min())
    demand = np.zeros((len(head), int(day.max()) - first + 1))
    np.add.at(demand, (series, day - first), quantity)
    known = np.cumsum(demand > 0, axis=1) > 0
    out = ~table.column("in_stock").to_numpy()
    known[series[out], (day - first)[out]] = False
    made = Daily(pd.DataFrame(dict(zip(SERIES, words, strict=True))), _EPOCH + dt.timedelta(first), demand, known)
    return made.until(made.end)


def _looked_at(history: History, before: dt.date | None, most: int | None) -> pa.Table:
    """Give the lines from the first to the last day that may be known."""
    table, day = history.table, _days(history.table)
    past = np.ones(len(day), bool) if before is None else day < (before - _EPOCH).days
    if not (past & (table.column("quantity").to_numpy() > 0)).any():
        began = _EPOCH + dt.timedelta(int(day.min()))
        until = "" if before is None else f" before {before}"
        raise ValueError(f"no sales{until}: the history begins on {began}; give a longer history or a later start")
    if most is not None:
        past &= day > day[past].max() - most
    return table if past.all() else table.filter(pa.array(past))


def _days(table: pa.Table) -> NDArray[np.int64]:
    """Days since 1970 of the lines."""
    number = table.column("date").combine_chunks().cast(pa.int32()).to_numpy(zero_copy_only=False)
    return np.asarray(number, np.int64)
