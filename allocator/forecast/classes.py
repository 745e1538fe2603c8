"""The four kinds of demand series, by how often and how evenly they sell."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.forecast.seasons import Seasons

CLASSES = ("smooth", "erratic", "intermittent", "lumpy")
"""Often and even, often but uneven, seldom but even, seldom and uneven."""
SELDOM = 1.32
"""Average interval between sales above which a series sells seldom. [seasons]"""
UNEVEN = 0.49
"""Squared coefficient of variation of what is sold when it sells, above which sizes are uneven."""


def classify(seasons: Seasons) -> NDArray[np.int64]:
    """Index into `CLASSES` of each series.

    Notes
    -----
    Syntetos, Boylan, Croston (2005), "On the categorization of demand patterns", J. Oper. Res. Soc. 56: average demand interval
    (ADI) and CV^2. Both are taken of whole seasons (weeks), not days: a store that is supplied every Wednesday isn't intermittent, its
    days are; which day of the season sells is the shape's affair.
    """
    totals = seasons.totals
    told = np.arange(seasons.count) >= seasons.begun[:, None]
    sold = (totals > 0) & told
    times = sold.sum(axis=1)
    interval = told.sum(axis=1) / np.maximum(times, 1)
    mean = np.where(sold, totals, 0.0).sum(axis=1) / np.maximum(times, 1)
    square = np.where(sold, (totals - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(times, 1)
    uneven = square > UNEVEN * mean**2
    return np.asarray(2 * (interval > SELDOM) + uneven, np.int64)
