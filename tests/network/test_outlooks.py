"""Demand paths: Latin hypercube, their own luck for every point, and nothing that depends on the order of rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from allocator.network import Network, build_network
from allocator.network.outlooks import draw_claims, draw_points, draw_uniforms
from allocator.tables import make_tables

SETTINGS: dict[str, Any] = {
    "name": "draws", "currency": "EUR", "start": "2026-03-02", "horizon_days": 6, "buckets": [1, 1, 4], "seed": 5,
}  # fmt: skip


def _forecasts(items: tuple[str, ...] = ("a", "b"), mean: float = 3.0) -> pd.DataFrame:
    days = pd.date_range("2026-03-02", periods=6).strftime("%Y-%m-%d")
    rows = [(i, "walk", z, d) for i in items for z in ("S1", "S2") for d in days]
    frame = pd.DataFrame(rows, columns=["item", "channel", "zone", "date"])
    return frame.assign(mean=mean, std=mean**0.5)


def _network(
    forecasts: pd.DataFrame, items: tuple[str, ...] = ("a", "b"), orders: pd.DataFrame | None = None, **settings: Any
) -> Network:
    tables: dict[str, Any] = {
        "items": pd.DataFrame({"item": list(items), "quantum": 1.0}),
        "sites": pd.DataFrame({"site": ["S1", "S2"], "kind": "store"}),
        "channels": pd.DataFrame({"channel": ["walk"]}),
        "fulfilment": pd.DataFrame({"site": ["S1", "S2"], "channel": "walk", "zone": ["S1", "S2"]}),
        "forecasts": forecasts,
        "lots": pd.DataFrame({"lot": ["L"], "item": items[0], "site": "S1", "quantity": 9.0, "received_date": "2026-03-01"}),
    }  # fmt: skip
    if orders is not None:
        tables["orders"] = orders
    return build_network(make_tables(SETTINGS | {"outlooks": 4} | settings, tables))


def test_every_stratum_is_drawn_once() -> None:
    """Each point's K numbers fall one into each K-th of (0, 1), with a common factor as without."""
    key = np.arange(500, dtype=np.uint64)
    for factor in (0.0, 0.5, 1.0):
        found = draw_uniforms(key, key // np.uint64(50), 8, seed=3, common_factor=factor)
        assert np.array_equal(np.sort(np.floor(found * 8), axis=1), np.tile(np.arange(8), (500, 1)))


def test_points_are_independent_unless_told_otherwise() -> None:
    """Normal scores of two points correlate as much as the common factor says."""
    key = np.arange(60, dtype=np.uint64)
    for factor in (0.0, 0.3, 0.8):
        found = draw_uniforms(key, np.zeros(60, dtype=np.uint64), 3000, seed=1, common_factor=factor)
        pairs = np.corrcoef(stats.norm.ppf(found))[np.triu_indices(60, 1)]
        assert pairs.mean() == pytest.approx(factor, abs=0.02)


def test_draws_follow_their_distribution() -> None:
    """Many draws have the mean, the spread and the quantiles that were stated."""
    network = _network(_forecasts(), outlooks=2000)
    points, outlooks = network.outlooks.points, network.outlooks
    found = draw_points(points, network.quantum, outlooks.count, outlooks.seed, 0.0)
    assert found.mean(axis=1) == pytest.approx(points.mean, rel=0.01)
    assert found.std(axis=1) == pytest.approx(points.std, rel=0.02)
    for level in (0.1, 0.5, 0.9):
        assert np.abs(np.quantile(found, level, axis=1) - stats.poisson(3).ppf(level)).max() <= 0.5


def test_order_of_rows_and_other_items_change_nothing() -> None:
    """Shuffled forecasts, and items that come in between, leave every draw as it was."""
    frame = _forecasts()
    network = _network(frame)
    shuffled = _network(frame.sample(frac=1.0, random_state=4))
    more = _network(_forecasts(("a", "aa", "b")), ("a", "aa", "b"))
    expected = draw_claims(network, np.array([0, 1]))
    assert np.array_equal(draw_claims(shuffled, np.array([0, 1])), expected)
    assert np.array_equal(draw_claims(more, np.array([0, 2])), expected)
    assert np.array_equal(draw_claims(network, np.array([1])), expected[:, 1:])
    assert not np.array_equal(draw_claims(_network(frame, seed=6), np.array([0, 1])), expected)


def test_luck_does_not_depend_on_the_mean() -> None:
    """A scenario with more demand draws more in every outlook, never less: common random numbers."""
    low, high = (draw_claims(_network(_forecasts(mean=m)), np.array([0, 1])) for m in (2.0, 4.0))
    assert (high >= low).all()
    assert (high > low).any()


def test_orders_consume_the_drawn_forecast() -> None:
    """What is left of an outlook's bucket is what was drawn less firm orders, never below 0."""
    orders = pd.DataFrame(
        {"order": ["O"], "line": ["1"], "item": ["a"], "channel": ["walk"], "zone": ["S1"], "due_date": ["2026-03-02"], "quantity": [2.0]}
    )  # fmt: skip
    plain, ordered = (_network(_forecasts(), orders=frame) for frame in (None, orders))
    claim = int(np.flatnonzero((ordered.claims.zone == 0) & ~ordered.claims.firm)[0])
    before = draw_claims(plain, np.array([0]))[:, 0, 0]
    after = draw_claims(ordered, np.array([0]))[:, 0, claim]
    assert np.array_equal(after[:, 0], np.maximum(before[:, 0] - 2, 0))
    assert np.array_equal(after[:, 1:], before[:, 1:])


def test_continuous_and_whole_demand() -> None:
    """Demand of items with a quantum is whole in every outlook, though the forecast is not."""
    frame = _forecasts(mean=3.3).assign(std=1.0)
    found = draw_claims(_network(frame), np.array([0, 1]))
    assert np.array_equal(found, np.round(found))


def test_a_single_outlook_draws_nothing() -> None:
    """The mean needs no points."""
    network = _network(_forecasts(), outlooks=1)
    assert len(network.outlooks.points.item) == 0
    assert replace(network.outlooks, count=2).count == 2
