"""The small program around a few columns of an item: what is decided there holds in the whole one, and no dive turns in a circle."""

from collections.abc import Iterator

import numpy as np
import pytest

from allocator.engine.hot import DUAL, Hot
from allocator.generate import generate
from allocator.network import build_network
from allocator.priced import dive as diving
from allocator.priced.blocks import Block
from allocator.priced.engine import build_source
from allocator.priced.item import load, settle_item
from allocator.priced.part import Rows, around
from allocator.priced.source import Source
from allocator.tables import read_tables
from tests.priced.made import activity, blocks_of


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Made-up items with packs over more sites than their fractions touch."""
    folder = tmp_path_factory.mktemp("dive")
    generate(items=12, stores=15, days=6, channels=2, dcs=2, seed=3, tight=0.0, out=folder)
    return build_source(build_network(read_tables(folder)))


def _solved(block: Block) -> tuple[Hot, np.ndarray]:
    hot = Hot()
    load(hot, block, block.cost)
    hot.run(DUAL)
    return hot, hot.point()


def _fractional(block: Block, x: np.ndarray) -> np.ndarray:
    return diving._fractional(block.integer, np.ones(block.columns), x)


def _items(source: Source) -> Iterator[tuple[Block, Hot, np.ndarray, np.ndarray]]:
    """Items with some packs that are not whole at the optimum, and those packs."""
    found = 0
    for block in blocks_of(source):
        hot, x = _solved(block)
        wanted = _fractional(block, x)
        if len(wanted) > 1:
            found += 1
            yield block, hot, x, wanted
    assert found >= 4


def test_a_plan_of_a_part_is_a_plan_of_the_item(source: Source) -> None:
    """Whatever the part does inside its rows keeps every row and bound of the item, and it holds the columns it is for and not all others."""
    draw, smaller = np.random.default_rng(0), 0
    for block, _, x, wanted in _items(source):
        part = around(block, wanted[:2], x)
        assert set(wanted[:2].tolist()) <= set(part.columns.tolist())
        smaller += len(part.columns) < 0.6 * block.columns
        hot = Hot()
        hot.load(
            draw.normal(size=len(part.columns)), part.lower, np.minimum(part.upper, 1e4), part.indptr, part.indices, part.values,
            part.row_lower, part.row_upper,
        )  # fmt: skip
        assert hot.run(DUAL)
        there = x.copy()
        there[part.columns] = hot.point()
        left = activity(block, there)
        room = 1e-5 * np.maximum(1.0, np.abs(left))
        assert ((left >= block.row_lower - room) & (left <= block.row_upper + room)).all()
        assert ((there >= block.lower - 1e-6) & (there <= block.upper + 1e-6)).all()
        assert np.abs(there - x).max() > 1e-3, "another cost moves something"
    assert smaller >= 3


def test_a_part_at_the_items_own_costs_has_nothing_to_gain(source: Source) -> None:
    """Its optimum is where the item's is."""
    for block, _, x, wanted in _items(source):
        part = around(block, wanted, x)
        hot = Hot()
        cost = block.cost[part.columns]
        hot.load(cost, part.lower, part.upper, part.indptr, part.indices, part.values, part.row_lower, part.row_upper)
        assert hot.run(DUAL)
        assert hot.objective == pytest.approx(float(cost @ x[part.columns]), rel=1e-6, abs=1e-5)


def test_what_is_rounded_aside_is_fixed(source: Source) -> None:
    """Every column that was asked for is fixed at a whole step, also one that the small program has whole by itself: so a dive ends."""
    rounded = 0
    for block, hot, x, wanted in _items(source):
        dive = diving._Diving(hot, block.lower, block.upper, np.ones(block.columns), {}, abs(hot.objective))
        program = diving.Program(hot, block, block.cost, Rows.none())
        at = diving._aside(program, wanted, block.integer, diving._At(x, hot.objective), dive)
        if at is None:
            assert not dive.fixed
            continue
        rounded += 1
        assert set(wanted.tolist()) <= set(dive.fixed)
        columns = np.array(list(dive.fixed))
        values = np.array(list(dive.fixed.values()))
        assert values == pytest.approx(np.round(values))
        assert at.x[columns] == pytest.approx(values, abs=1e-6)
        assert hot.objective >= float(block.cost @ x) - 1e-6 * abs(hot.objective)
    assert rounded >= 3


def test_rounding_aside_loses_next_to_nothing(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against rounding in the whole program: whole plans both, on average a tenth of a percent apart at most."""
    count = source.limits.count
    free, none, over = np.full(count, np.inf), np.zeros(count), source.limits.highest
    hot, apart = Hot(), []
    for block, _, _, _ in _items(source):
        aside = settle_item(hot, block, none, free, over)
        with monkeypatch.context() as patch:
            patch.setattr(diving, "FEW", 10**9)
            whole = settle_item(hot, block, none, free, over)
        assert not len(_fractional(block, aside.x))
        apart.append((aside.cost - whole.cost) / max(1.0, abs(whole.cost)))
    assert float(np.mean(apart)) <= 1e-3
    assert hot._beside is not None, "the small program was never used"


def test_limits_are_carried_into_a_part() -> None:
    """Rows over an item's columns, cut to some of them: what the others use is taken off the limit, rows without any of them are left out."""
    rows = Rows(
        np.array([10.0, 5.0]), np.array([1.0, 2.0]), np.array([0, 2, 3], dtype=np.int32),
        np.array([0, 2, 1], dtype=np.int32), np.array([2.0, 3.0, 1.0]),
    )  # fmt: skip
    cut = rows.within(np.array([2, 3], dtype=np.int32), np.array([1.5, 4.0, 0.0, 7.0]))
    assert cut.limit.tolist() == [7.0]
    assert cut.price.tolist() == [1.0]
    assert (cut.indptr.tolist(), cut.indices.tolist(), cut.values.tolist()) == ([0, 1], [0], [3.0])
    both = Rows.none().with_more(rows).with_more(rows)
    assert both.limit.tolist() == [10.0, 5.0, 10.0, 5.0]
    assert both.indptr.tolist() == [0, 2, 3, 5, 6]
