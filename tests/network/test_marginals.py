"""Quantile functions of demand points against SciPy's and against what was stated."""

import numpy as np
import pytest
from scipy import stats

from allocator.network.marginals import (
    LEVELS,
    draw_marginals,
    from_quantiles,
    inverse_counts,
    moments,
)

NONE = np.full((1, len(LEVELS)), np.nan)


@pytest.mark.parametrize(("mean", "variance"), [(0.2, 0.2), (0.2, 0.6), (4, 4), (4, 9), (20, 80), (100, 100)])
def test_counts_are_scipys(mean: float, variance: float) -> None:
    """Counted-up quantiles are SciPy's Poisson and negative binomial quantiles, to the unit."""
    levels = np.linspace(0.0005, 0.9995, 2001)
    found = inverse_counts(np.array([mean]), np.array([variance]), levels[None, :])[0]
    expected = (
        stats.poisson(mean).ppf(levels)
        if variance == mean
        else stats.nbinom(mean**2 / (variance - mean), mean / variance).ppf(levels)
    )
    assert np.array_equal(found, expected)


def test_wide_counts_keep_their_moments() -> None:
    """Distributions too wide to count up keep mean and standard deviation within a part in a hundred."""
    levels = (np.arange(20_000) + 0.5)[None, :] / 20_000
    found = inverse_counts(np.array([5000.0]), np.array([250_000.0]), levels)
    assert found.mean() == pytest.approx(5000, rel=0.01)
    assert found.std() == pytest.approx(500, rel=0.01)
    assert np.array_equal(found, np.round(found))


def test_quantiles_are_met_where_stated() -> None:
    """The quantile function passes through every stated quantile, blanks left out."""
    stated = np.array([[1.0, np.nan, 2.0, 4.0, np.nan, 9.0, np.nan]])
    known = ~np.isnan(stated[0])
    levels = np.array(LEVELS)[known][None, :]
    assert from_quantiles(stated, np.array([4.0]), levels)[0] == pytest.approx(stated[0, known])


def test_one_quantile_is_joined_with_the_mean() -> None:
    """A single upper quantile makes the mean the median; a median alone says nothing of spread."""
    upper, median = NONE.copy(), NONE.copy()
    upper[0, 5], median[0, 3] = 9.0, 4.0
    levels = np.array([[0.1, 0.5, 0.9]])
    assert from_quantiles(upper, np.array([4.0]), levels)[0] == pytest.approx([0.0, 4.0, 9.0])
    flat = draw_marginals(np.array([5.0]), np.array([np.nan]), median, np.array([1.0]), levels)
    assert flat[0] == pytest.approx([5.0, 5.0, 5.0])


def test_points_without_spread_are_their_mean() -> None:
    """No std, no quantiles, or a std of 0: the mean in every outlook; demand is never below 0."""
    levels = np.array([[0.01, 0.5, 0.99]])
    for std in (np.nan, 0.0):
        assert draw_marginals(np.array([3.4]), np.array([std]), NONE, np.array([1.0]), levels) == pytest.approx(3.4)
    assert draw_marginals(np.array([0.5]), np.array([3.0]), NONE, np.array([0.0]), levels).min() >= 0


def test_narrow_counts_and_continuous_items_are_gamma() -> None:
    """Std^2 below the mean, and items without a quantum, are drawn from the gamma of the same mean and std."""
    levels = (np.arange(4000) + 0.5)[None, :] / 4000
    for quantum, std in ((1.0, 1.0), (0.0, 6.0)):
        found = draw_marginals(np.array([9.0]), np.array([std]), NONE, np.array([quantum]), levels)
        assert found.mean() == pytest.approx(9.0, rel=2e-3)
        assert found.std() == pytest.approx(std, rel=1e-2)


def test_moments_of_quantiles_are_those_of_a_normal() -> None:
    """Quantiles of a normal distribution give its variance back."""
    stated = stats.norm(10, 2).ppf(np.array(LEVELS))[None, :]
    mean, variance = moments(np.array([10.0]), np.array([np.nan]), stated)
    assert (mean[0], variance[0]) == pytest.approx((10.0, 4.0))
