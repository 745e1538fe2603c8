"""Tables cut by runs of items, so that what is worked out item by item never needs the whole of a table at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray


class ByItem:
    """A table whose rows can be cut by runs of items; a table sorted by item is not copied.

    Parameters
    ----------
    table : DataFrame or pyarrow.Table
    item : (N,) int
        Position of each row's item.
    """

    def __init__(self, table: pd.DataFrame | pa.Table, item: NDArray[np.int32]) -> None:
        self.table, self.item = table, item
        self.order: NDArray[np.int64] | None = None
        if bool((item[1:] < item[:-1]).any()):
            self.order = np.argsort(item, kind="stable")
            self.item = item[self.order]

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """Tell which rows, in order of items, are those of the items from `first` to before `stop`."""
        low, high = np.searchsorted(self.item, [first, stop])
        return int(low), int(high)

    def cut(self, first: int, stop: int) -> pd.DataFrame | pa.Table:
        """Give the rows of the items from `first` to before `stop`."""
        low, high = self.span(first, stop)
        if isinstance(self.table, pa.Table):
            if self.order is None:
                return self.table.slice(low, high - low)
            return self.table.take(pa.array(self.order[low:high]))
        return self.table.iloc[low:high] if self.order is None else self.table.iloc[self.order[low:high]]

    def between(self, first: int, stop: int) -> tuple[pd.DataFrame | pa.Table, NDArray[np.int64]]:
        """Give the rows of some items, and their items."""
        low, high = self.span(first, stop)
        return self.cut(first, stop), self.item[low:high].astype(np.int64)
