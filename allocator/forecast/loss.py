"""How good quantile forecasts were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.forecast.seasons import FloatArray
from allocator.network.marginals import LEVELS


def pinball(demand: FloatArray, quantiles: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Mean over the levels of the pinball loss of each day, 0 where demand is not known.

    Parameters
    ----------
    demand : (n, d) float
        [units/day]
    quantiles : (n, d, 7) float
        [units/day]
    known : (n, d) bool

    Returns
    -------
    (n, d) float
        [units/day]

    Notes
    -----
    Koenker, Bassett (1978): level * (y - q) above the quantile, (1 - level) * (q - y) below it; least for the true quantile.
    """
    level = np.array(LEVELS)
    short = demand[:, :, None] - quantiles
    loss = np.maximum(level * short, (level - 1.0) * short).mean(axis=2)
    return np.asarray(np.where(known, loss, 0.0))
