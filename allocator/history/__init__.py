"""Sales as they were: one definition of the history's columns, one reader, one daily grid. Start at `read_history`."""

from allocator.history.daily import Daily, daily
from allocator.history.reading import History, read_history
from allocator.history.spec import HISTORY

__all__ = ["HISTORY", "Daily", "History", "daily", "read_history"]
