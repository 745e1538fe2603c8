"""Booking limits and protected stock in closed form, from the distributions of demand themselves.

One site, one day, one item. Orders of a channel are accepted as they come; at the end of the day stronger channels are served first, and what is
accepted and can't be filled is cancelled. Accepting the b-th unit out of a stock of S pays while

    worth >= P(D > S - b) displaced + P(D <= S - b) carry,     displaced = min(worth + cancel, stronger)

D being the stronger channels' demand: a unit that is short later costs the cheaper of cancelling (what the order earned, and the cancellation) and of turning
stronger demand away; a unit that is not short could have been carried on. So y = F_D^{-1}(kept) units are protected, with
kept = (displaced - worth) / (displaced - carry), and S - y may be booked. With no cancellation allowed (cancel = inf) and carry = 0 this is
Littlewood's rule, P(D > y) = worth / stronger; with stronger demand always served first and carry = 0 it is accept first, cancel later,
P(D <= y) >= cancel / (worth + cancel) (Jia, Karp, Ravi, Tayur 2022). Several stronger channels count as one, at their mean worth (Belobaba's EMSR-b).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.marginals import inverse_counts, inverse_gamma

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def fraction_kept(worth: FloatArray, cancel: FloatArray, stronger: FloatArray, carry: FloatArray) -> FloatArray:
    """Least probability, that stronger demand leaves the unit, at which booking it pays.

    Parameters
    ----------
    worth : (n,) float
        Margin less fulfilment cost of the channel that books. [currency per unit]
    cancel : (n,) float
        Cost of cancelling an accepted unit, ``inf`` where that is not done. [currency per unit]
    stronger : (n,) float
        What a unit of the stronger demand is worth. [currency per unit]
    carry : (n,) float
        What the unit is worth when it is kept to the next day. [currency per unit]

    Returns
    -------
    (n,) float
        0: book all; above 1 (inf): book nothing.
    """
    worth, cancel, stronger, carry = (np.asarray(v, dtype=np.float64) for v in (worth, cancel, stronger, carry))
    displaced = np.minimum(worth + cancel, stronger)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = (displaced - worth) / (displaced - carry)
    kept = np.where(displaced > worth, kept, 0.0)
    return np.asarray(np.where(worth < carry - 1e-9 * np.maximum(1.0, np.abs(carry)), np.inf, kept))


def protect(kept: FloatArray, mean: FloatArray, variance: FloatArray, quantum: FloatArray | float = 1.0) -> FloatArray:
    """Stock to protect for stronger demand: the smallest quantity that covers it with probability ``kept``.

    Parameters
    ----------
    kept : (n,) float
        From :func:`fraction_kept`; ``inf`` protects everything.
    mean, variance : (n,) float
        Of the stronger demand. [units, units^2]
    quantum : (n,) float
        Smallest quantity that moves, 0 for continuous items. [units]

    Returns
    -------
    (n,) float
        [units] Exact for Poisson demand and for negative binomials of one ratio of variance to mean; a matched one for other sums.
    """
    kept = np.asarray(kept, dtype=np.float64)
    mean = np.asarray(mean, dtype=np.float64)
    variance, q = np.broadcast_to(variance, mean.shape), np.broadcast_to(quantum, mean.shape)
    out = np.where(np.isinf(kept), np.inf, 0.0)
    asked = (kept > 0) & ~np.isinf(kept) & (mean > 0)
    step = np.where(q > 0, q, 1.0)
    level = np.clip(kept, 0.0, 1.0 - 1e-9)[:, None]
    known = asked & ~(variance > 0)
    out[known] = mean[known]
    counted = asked & (variance > 0) & (q > 0)
    if counted.any():
        m, v = (mean / step)[counted], (variance / step**2)[counted]
        out[counted] = inverse_counts(m, v, level[counted])[:, 0] * step[counted]
    smooth = asked & (variance > 0) & ~(q > 0)
    if smooth.any():
        out[smooth] = inverse_gamma(mean[smooth], variance[smooth], level[smooth])[:, 0]
    return np.asarray(out)


@dataclass(frozen=True)
class Classes:
    """Channels that draw on one stock, n rows of them.

    Attributes
    ----------
    stock : (n,) int
        Which stock (an item at a site on a day) the channel draws on.
    rank : (n,) float
        Smaller is stronger: served first.
    mean, variance : (n,) float
        Demand still expected of the channel there. [units, units^2]
    worth : (n,) float
        Margin less fulfilment cost. [currency per unit]
    penalty : (n,) float
        What a unit of the channel turned away costs beside its worth. [currency per unit]
    cancel : (n,) float
        Cost of cancelling an accepted unit. [currency per unit]
    """

    stock: IntArray
    rank: FloatArray
    mean: FloatArray
    variance: FloatArray
    worth: FloatArray
    penalty: FloatArray
    cancel: FloatArray


def booking_limits(
    classes: Classes, available: FloatArray, carry: FloatArray, quantum: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Nested booking limits: what a channel and all weaker ones may book together.

    Parameters
    ----------
    classes : Classes
        n channels.
    available : (m,) float
        Stock that may be booked, by stock. [units]
    carry : (m,) float
        Value of a unit kept to the next day. [currency per unit]
    quantum : (m,) float
        [units]

    Returns
    -------
    limit, protected : (n,) float
        [units] Limits fall with strength: none is above that of a stronger channel.
    """
    order = np.lexsort((classes.rank, classes.stock))
    stock = classes.stock[order]
    mean, variance = classes.mean[order], classes.variance[order]
    before_mean, before_variance = _before(stock, mean), _before(stock, variance)
    value = _before(stock, mean * (classes.worth + classes.penalty)[order])
    stronger = np.where(before_mean > 0, value / np.where(before_mean > 0, before_mean, 1.0), 0.0)
    kept = fraction_kept(classes.worth[order], classes.cancel[order], stronger, carry[stock])
    protected = np.minimum(protect(kept, before_mean, before_variance, quantum[stock]), available[stock])
    limit = _falling(stock, np.maximum(available[stock] - protected, 0.0))
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return limit[back], protected[back]


def _before(group: IntArray, values: FloatArray) -> FloatArray:
    """Sum of the values before each, within its group; groups stand together."""
    total = np.cumsum(values) - values
    first = np.searchsorted(group, group, side="left")
    return np.asarray(np.maximum(total - total[first], 0.0)) if len(group) else total


def _falling(group: IntArray, values: FloatArray) -> FloatArray:
    """Running minimum within each group; groups stand together."""
    place = np.arange(len(group)) - np.searchsorted(group, group, side="left")
    out = values.copy()
    for step in range(1, int(place.max(initial=0)) + 1):
        at = np.flatnonzero(place == step)
        out[at] = np.minimum(out[at], out[at - 1])
    return out
