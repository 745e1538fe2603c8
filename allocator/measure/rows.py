"""Rows of a frame one by one, for the few places that write or draw each of a small number of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Give each row with its cells as attributes."""
    return iter(frame.itertuples(index=False))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give each row as a mapping, for columns whose names are words of Python (`from`, `for`)."""
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]
