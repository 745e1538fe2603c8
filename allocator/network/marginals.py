"""Distributions of one demand point each: quantile functions of many points at once (docs/semantics.md, "Outlooks")."""

from __future__ import annotations

import numpy as np
import scipy.special as special
from numpy.typing import NDArray

from allocator.tables.schema import QUANTILES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVELS = tuple(QUANTILES.values())
"""Levels of the quantile columns."""
SCORES: FloatArray = special.ndtri(np.array(LEVELS))
"""Normal scores of the levels: between two of them a quantile function is a straight line in the score."""
ROWS = 4096
"""Points that are counted up together."""
STEPS = 3000
"""Longest count; a wider distribution is drawn from the gamma of the same mean and variance, in whole units."""
TOP = 1.0 - 1e-12
"""Probabilities are kept below this."""


def draw_marginals(
    mean: FloatArray, std: FloatArray, quantiles: FloatArray, quantum: FloatArray, probability: FloatArray
) -> FloatArray:
    """Demand of n points at k probabilities each.

    Parameters
    ----------
    mean, std : (n,) float
        Std NaN where none is stated. [units]
    quantiles : (n, 7) float
        NaN where not stated. [units]
    quantum : (n,) float
        Smallest quantity of the point's item, 0 for continuous items. [units]
    probability : (n, k) float

    Returns
    -------
    (n, k) float
        Not less than 0; in whole quanta where counts were drawn (negative binomial, Poisson). [units]

    Notes
    -----
    Quantiles, where stated, beat the std. Std: counts of variance above the mean are negative binomial, of equal variance Poisson,
    all else gamma. Nothing stated (or a std of 0): the mean.
    """
    probability = np.clip(probability, 1e-12, TOP)
    out = np.repeat(mean[:, None], probability.shape[1], axis=1)
    shaped = has_quantiles(quantiles)
    if shaped.any():
        out[shaped] = from_quantiles(quantiles[shaped], mean[shaped], probability[shaped])
    spread = ~shaped & (mean > 0) & (np.nan_to_num(std) > 0)
    counted = spread & (quantum > 0)
    step = np.where(quantum > 0, quantum, 1.0)
    m, v = mean / step, (np.nan_to_num(std) / step) ** 2
    counted &= v >= m * (1 - 1e-9)
    if counted.any():
        out[counted] = inverse_counts(m[counted], v[counted], probability[counted]) * step[counted, None]
    smooth = spread & ~counted
    if smooth.any():
        out[smooth] = inverse_gamma(m[smooth], v[smooth], probability[smooth]) * step[smooth, None]
    return out


def has_quantiles(quantiles: FloatArray) -> NDArray[np.bool_]:
    """(n,) bool, points whose quantiles say how demand spreads: two of them, or one beside the median."""
    known = ~np.isnan(quantiles)
    beside = known & (np.array(LEVELS) != 0.5)
    return np.asarray((known.sum(axis=1) >= 2) | beside.any(axis=1))


def from_quantiles(quantiles: FloatArray, mean: FloatArray, probability: FloatArray) -> FloatArray:
    """Quantile function through the stated quantiles: straight in the normal score between them and, with the slope of the last piece, beyond.

    One quantile alone is joined with the mean, taken for the median.
    """
    score = special.ndtri(probability)
    out = np.zeros_like(probability)
    known = ~np.isnan(quantiles)
    pattern = known @ (1 << np.arange(len(LEVELS)))
    for code in np.unique(pattern):
        mine = np.flatnonzero(pattern == code)
        columns = np.flatnonzero(known[mine[0]])
        x, y = SCORES[columns], quantiles[mine][:, columns]
        if len(columns) == 1:
            x = np.array([0.0, x[0]])
            y = np.stack([mean[mine], y[:, 0]], axis=1)
            if x[1] < 0:
                x, y = x[::-1], y[:, ::-1]
        y = np.maximum.accumulate(y, axis=1)
        piece = np.clip(np.searchsorted(x, score[mine]) - 1, 0, len(x) - 2)
        slope = np.diff(y, axis=1) / np.diff(x)
        row = np.arange(len(mine))[:, None]
        out[mine] = y[row, piece] + (score[mine] - x[piece]) * slope[row, piece]
    return np.maximum(out, 0.0)


def inverse_gamma(mean: FloatArray, variance: FloatArray, probability: FloatArray) -> FloatArray:
    """Quantiles of gamma distributions: means and variances (n,), probabilities (n, k)."""
    shape = mean**2 / variance
    return np.asarray(special.gammaincinv(shape[:, None], probability) * (variance / mean)[:, None])


def inverse_counts(mean: FloatArray, variance: FloatArray, probability: FloatArray) -> FloatArray:
    """Smallest count whose distribution function reaches a probability: negative binomial, Poisson where the variance is not above the mean.

    Parameters
    ----------
    mean, variance : (n,) float
        In counts.
    probability : (n, k) float

    Returns
    -------
    (n, k) float, whole

    Notes
    -----
    Panjer's recursion p(j+1) = p(j) (a + b j) / (j + 1), with a = mean, b = 0 (Poisson) or b = 1 - mean / variance, a = mean (1 - b)
    (negative binomial), counts up all points of a part together.
    """
    out = np.zeros_like(probability)
    over = variance > mean * (1 + 1e-9)
    b = np.where(over, 1.0 - mean / np.where(over, variance, 1.0), 0.0)
    a = mean * (1.0 - b)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(over, a / np.where(over, b, 1.0) * np.log1p(-b), -mean)
    spread = np.sqrt(np.maximum(variance, mean))
    length = mean + 8.0 * spread + 30.0 / np.maximum(1.0 - b, 1e-9)
    wide = (length > STEPS) | (first < -600.0)
    if wide.any():
        gamma = inverse_gamma(mean[wide], np.maximum(variance, mean)[wide], probability[wide])
        out[wide] = np.round(gamma)
    order = np.flatnonzero(~wide)
    order = order[np.argsort(length[order], kind="stable")]
    for at in range(0, len(order), ROWS):
        part = order[at : at + ROWS]
        out[part] = _count_up(a[part], b[part], np.exp(first[part]), probability[part])
    return out


def _count_up(a: FloatArray, b: FloatArray, first: FloatArray, probability: FloatArray) -> FloatArray:
    out = np.zeros_like(probability)
    mass, reached = first.copy(), first.copy()
    goal = probability.max(axis=1)
    for j in range(4 * STEPS):
        if not (reached < goal).any():
            break
        out += reached[:, None] < probability
        mass *= (a + b * j) / (j + 1)
        reached += mass
        goal = np.where(
            (mass < 1e-18) & (j > a), -1.0, goal
        )  # nothing is left to add: rounding keeps it below the goal
    return out


def moments(mean: FloatArray, std: FloatArray, quantiles: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of points; with quantiles the std is the slope over the outermost two. [units, units^2]"""
    variance = np.nan_to_num(std) ** 2
    known = ~np.isnan(quantiles)
    if known.any():
        rows = np.arange(len(mean))
        low, high = np.argmax(known, axis=1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        gap = SCORES[high] - SCORES[low]
        wide = quantiles[rows, high] - quantiles[rows, low]
        alone = quantiles[rows, high] - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(gap > 0, wide / gap, np.maximum(alone / SCORES[high], 0.0))
        variance = np.where(has_quantiles(quantiles), slope**2, variance)
    return mean, variance
