"""The parts of a backtest by themselves: ground, demand, shelves, samples."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from allocator.backtest.demand import drawn, known_orders, told
from allocator.backtest.ground import build_ground
from allocator.backtest.samples import blocks_of, difference, estimated
from allocator.backtest.shelves import Shelves
from allocator.history import read_history
from allocator.network.network import NEVER
from benchmarks.backtests import START, jia, season


def test_forecasts_repeat_by_weeks_past_their_end() -> None:
    """A play longer than the forecasts sees their last week again and again; one that is not sees the season end."""
    tables = season(stores=1, demand=28, days=7)
    long, short = build_ground(tables, 30), build_ground(tables, 7)
    assert long.ends is None
    assert short.ends == 7
    assert long.network.outlooks.points.day.tolist() == list(range(30))
    with pytest.raises(ValueError, match="less than the week"):
        build_ground(season(stores=1, days=5), 6)


def test_the_counter_is_where_nobody_books_ahead() -> None:
    """A store's own zone is served over the counter; online orders behind it are booked."""
    ground = build_ground(jia(), 1)
    channels = ground.network.channels
    counter = ground.counter.any(axis=(1, 2))
    assert counter[channels.index("store")]
    assert not counter[channels.index("online")]
    assert not ground.counter_only
    assert build_ground(season(stores=2), 5).counter_only


def test_drawn_demand_is_that_of_the_forecasts() -> None:
    """Paths have the forecasts' mean and variance, differ from each other, and are the same again for one seed."""
    ground = build_ground(season(stores=4, demand=20), 5)
    firm = known_orders(ground)
    paths = [drawn(ground, firm, 7, r) for r in range(150)]
    totals = np.array([path.total for path in paths])
    assert abs(totals.mean() - 80) < 4 * np.sqrt(80 / 150)
    assert 0.6 < totals.var(ddof=1) / 80 < 1.5
    again = drawn(ground, firm, 7, 3)
    assert np.array_equal(again.zone, paths[3].zone)
    assert np.all(np.diff(again.day) >= 0)
    assert set(again.quantity) == {1.0}


def test_firm_orders_consume_what_is_drawn() -> None:
    """An order that the network brings along takes the place of drawn demand of its day."""
    tables = season(stores=1, demand=100, days=5)
    order = {"order": ["O"], "line": ["1"], "item": ["A"], "channel": ["walk"], "zone": ["S00"]}
    order |= {"due_date": [START], "quantity": [500.0]}
    ground = build_ground(tables.replace(orders=pd.DataFrame(order)), 5)
    firm = known_orders(ground)
    lines = drawn(ground, firm, 1, 0)
    assert firm.quantity.tolist() == [500.0]
    assert not len(lines.on(0))
    assert len(lines.on(1)) > 0


def test_a_history_gives_its_lines_and_says_what_is_left_out() -> None:
    """Lines of other days, and of codes the network does not serve, are counted in the notes."""
    ground = build_ground(season(stores=2), 5)
    rows = [("A", "walk", "S00", START, 3), ("A", "walk", "S01", START + dt.timedelta(1), 2)]
    rows += [("B", "walk", "S00", START, 9), ("A", "walk", "S00", START - dt.timedelta(3), 9)]
    history = read_history(pd.DataFrame(rows, columns=["item", "channel", "zone", "date", "quantity"]))
    lines, notes = told(ground, history)
    assert lines.total == 5
    assert len(notes) == 2
    assert "9 units" in notes[1]


def test_shelves_take_by_rotation_and_keep_count() -> None:
    """FEFO takes the lot that expires first and is fresh enough; units that came in equal those held, sold and wasted."""
    shelves = Shelves(build_ground(season(stores=1, units=0.0 + 10), 5))
    shelves.receive(0)
    for lot in ((3, 0, 4.0), (NEVER, 0, 5.0), (1, 0, 2.0)):
        shelves.put(0, 0, lot)
        shelves.came += lot[2]
    assert [lot[0] for lot in shelves.take(0, 0, 5.0, 2)] == [3, NEVER]
    shelves.left += 5.0
    assert shelves.expire(1) == [(0, 0, 2.0)]
    assert shelves.sell(0, 0, 100.0, 0) == 4.0
    shelves.check()
    shelves.came += 1
    with pytest.raises(ArithmeticError, match="lost 1 units"):
        shelves.check()


def test_shipments_travel_and_arrive() -> None:
    """What is sent is on the road until its day, then on the other shelf."""
    shelves = Shelves(build_ground(season(stores=1, units=10), 5))
    shelves.receive(0)
    warehouse, store = 1, 0
    assert shelves.send(0, warehouse, store, 6.0, 2, 0) == 6.0
    assert shelves.coming(0, store, 0, 2) == 6.0
    assert shelves.stock[0].tolist() == [0.0, 4.0]
    shelves.receive(2)
    assert shelves.stock[0].tolist() == [6.0, 4.0]
    shelves.check()


def test_intervals_are_students_and_differences_are_paired() -> None:
    """A total's interval is that of the mean; what two policies share falls out of their difference."""
    luck = np.random.default_rng(1).normal(0, 50, 12)
    one = [{"margin|network": ([100 + x], [1.0])} for x in luck]
    two = [{"margin|network": ([98 + x], [1.0])} for x in luck]
    found = estimated(one, "margin|network")
    wide = 2.200985 * (100 + luck).std(ddof=1) / np.sqrt(12)
    assert found.value == pytest.approx((100 + luck).mean())
    assert found.high - found.value == pytest.approx(wide, rel=1e-5)
    apart = difference(one, two, "margin|network")
    assert apart.value == pytest.approx(2)
    assert apart.clear
    assert np.isnan(estimated(one[:1], "margin|network").low)


def test_ratios_weigh_their_samples() -> None:
    """A share over plays is units over units, not the mean of shares."""
    samples = [{"fill_rate|network": ([1.0], [1.0])}, {"fill_rate|network": ([0.0], [9.0])}]
    assert estimated(samples, "fill_rate|network").value == pytest.approx(0.1)


def test_weeks_cover_all_days() -> None:
    """Blocks are whole weeks, the last takes what is left; two weeks are the least that can be told apart."""
    assert [(b.start, b.stop) for b in blocks_of(23, True)] == [(0, 7), (7, 14), (14, 23)]
    assert [(b.start, b.stop) for b in blocks_of(13, True)] == [(0, 13)]
    assert [(b.start, b.stop) for b in blocks_of(23, False)] == [(0, 23)]
