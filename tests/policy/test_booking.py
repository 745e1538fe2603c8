"""Booking limits against the closed forms they follow from, and against sheer enumeration."""

import numpy as np
import pytest
from scipy import stats

from allocator.policy import Classes, booking_limits, fraction_kept, protect


def _profit(limit: int) -> tuple[float, float]:
    """Online profit and share of accepted orders cancelled; S = 150, store Poisson(100) first, online Poisson(60), margin 20, cancellation 10."""
    store, online = np.arange(200), np.arange(150)
    weight = stats.poisson(100).pmf(store)[:, None] * stats.poisson(60).pmf(online)[None, :]
    accepted = np.minimum(online, limit)[None, :] + 0 * store[:, None]
    filled = np.minimum(accepted, np.maximum(150 - store, 0)[:, None])
    cancelled = accepted - filled
    return float((weight * (20 * filled - 10 * cancelled)).sum()), float(
        (weight * cancelled).sum() / (weight * accepted).sum()
    )


def _two(mean: float = 100.0) -> Classes:
    return Classes(
        stock=np.zeros(2, dtype=np.int64),
        rank=np.array([0.0, 1.0]),
        mean=np.array([mean, 60.0]),
        variance=np.array([mean, 60.0]),
        worth=np.array([40.0, 20.0]),
        penalty=np.zeros(2),
        cancel=np.array([10.0, 10.0]),
    )


def test_accept_first_cancel_later() -> None:
    """The published case: 96 protected, 54 booked, 887.46 against 854.85 of profit, 10.9 % against 19.2 % cancelled."""
    limit, protected = booking_limits(_two(), np.array([150.0]), np.zeros(1), np.ones(1))
    assert (limit[1], protected[1], limit[0]) == (54, 96, 150)
    profit, cancelled = _profit(54)
    assert profit == pytest.approx(887.46, abs=0.05)
    assert cancelled == pytest.approx(0.109, abs=5e-4)
    profit, cancelled = _profit(150)
    assert profit == pytest.approx(854.85, abs=0.05)
    assert cancelled == pytest.approx(0.192, abs=5e-4)
    assert all(_profit(54)[0] >= _profit(other)[0] for other in range(40, 70))


def test_without_cancelling_it_is_littlewoods_rule() -> None:
    """P(D > y) = worth / stronger where an accepted order is kept whatever comes."""
    kept = fraction_kept(np.array([60.0]), np.array([np.inf]), np.array([100.0]), np.zeros(1))
    assert kept[0] == pytest.approx(0.4)
    assert protect(kept, np.array([30.0]), np.array([30.0]))[0] == stats.poisson(30).ppf(0.4)


@pytest.mark.parametrize("worth", [5.0, 12.0, 19.0])
@pytest.mark.parametrize("carry", [0.0, 4.0])
def test_limit_is_where_booking_stops_to_pay(worth: float, carry: float) -> None:
    """By enumeration: the unit at the limit pays, the next one does not."""
    stock, demand = 40, stats.nbinom(20**2 / (50 - 20), 20 / 50)
    classes = Classes(
        np.zeros(2, dtype=np.int64), np.array([0.0, 1.0]), np.array([20.0, 30.0]), np.array([50.0, 30.0]),
        np.array([25.0, worth]), np.zeros(2), np.array([0.0, 6.0]),
    )  # fmt: skip
    limit, _ = booking_limits(classes, np.array([float(stock)]), np.array([carry]), np.ones(1))
    displaced = min(worth + 6.0, 25.0)

    def pays(unit: int) -> bool:
        short = float(demand.sf(stock - unit))
        return worth >= short * displaced + (1 - short) * carry

    assert limit[1] == sum(pays(unit) for unit in range(1, stock + 1))


def test_ample_stock_limits_nobody() -> None:
    """With stock for all demand to come, no limit cuts into a channel's demand."""
    limit, _ = booking_limits(_two(), np.array([400.0]), np.zeros(1), np.ones(1))
    assert limit[1] >= stats.poisson(60).ppf(0.999999)


def test_nothing_is_booked_below_the_value_of_keeping() -> None:
    """A unit worth more tomorrow is not for the channel; limits fall with strength, and with demand that is stronger."""
    limit, _ = booking_limits(_two(), np.array([150.0]), np.array([25.0]), np.ones(1))
    assert limit[1] == 0
    assert limit[0] == 150
    low, high = (booking_limits(_two(mean), np.array([150.0]), np.zeros(1), np.ones(1))[0][1] for mean in (60, 120))
    assert high < low


def test_limits_are_nested() -> None:
    """Of many channels none may book more than a stronger one, and a channel's limit is the same however rows are ordered."""
    draw = np.random.default_rng(3)
    n = 60
    classes = Classes(
        draw.integers(0, 8, n), draw.permutation(n).astype(float), draw.gamma(2, 5, n), draw.gamma(2, 9, n),
        draw.gamma(2, 5, n), draw.gamma(1, 2, n), draw.gamma(1, 2, n),
    )  # fmt: skip
    stock, carry, quantum = draw.integers(0, 60, 8).astype(float), draw.gamma(1, 2, 8), np.ones(8)
    limit, protected = booking_limits(classes, stock, carry, quantum)
    for key in range(8):
        mine = np.flatnonzero(classes.stock == key)
        ranked = limit[mine[np.argsort(classes.rank[mine])]]
        assert (np.diff(ranked) <= 0).all()
        assert (limit[mine] <= stock[key]).all()
        assert (protected[mine] <= stock[key]).all()
    turned = draw.permutation(n)
    again, _ = booking_limits(
        Classes(*(getattr(classes, f)[turned] for f in Classes.__dataclass_fields__)), stock, carry, quantum
    )
    assert np.array_equal(again, limit[turned])


def test_continuous_and_packed_items() -> None:
    """Protection is whole quanta of items that have one, and of any size otherwise."""
    kept = np.array([0.9, 0.9, 0.9])
    found = protect(kept, np.full(3, 20.0), np.array([40.0, 40.0, 0.0]), np.array([2.0, 0.0, 1.0]))
    assert found[0] % 2 == 0
    assert found[1] % 1 != 0
    assert found[2] == 20.0
