"""Whole plans of single items: whole, within their allowance whenever one is, priced as the block prices them, and good."""

from pathlib import Path

import numpy as np
import pytest

from allocator.engine.hot import Hot
from allocator.generate import generate
from allocator.network import build_network
from allocator.priced.blocks import Block
from allocator.priced.engine import build_source
from allocator.priced.item import Known, Settled, price_item, settle_item
from allocator.priced.shard import Member, Shard
from allocator.priced.source import Source
from allocator.tables import read_tables
from tests.priced.made import activity, blocks_of, optimum, source_of
from tests.program.networks import CASES

HOT = Hot()


def _faults(block: Block, x: np.ndarray) -> list[str]:
    """Rows and bounds that a point breaks, whole columns that are not whole."""
    columns, steps = block.whole
    off = np.abs(x[columns] / steps - np.round(x[columns] / steps))
    left = activity(block, x)
    room = 1e-6 * np.maximum(1.0, np.abs(left))
    found = [f"column {c} is {x[c]}" for c in columns[off > 1e-9]]
    found += [f"row {r}" for r in np.flatnonzero((left < block.row_lower - room) | (left > block.row_upper + room))]
    return found + [f"bounds of {c}" for c in np.flatnonzero((x < block.lower - 1e-9) | (x > block.upper + 1e-9))]


def _over(source: Source) -> np.ndarray:
    return source.limits.highest


@pytest.mark.parametrize("case", CASES)
def test_settled_items_are_whole_and_never_better_than_their_bound(case: str, tmp_path: Path) -> None:
    """With and without prices: whole, inside every row, costs as stated, between the bound and a few percent above the item's own optimum."""
    source = source_of(case, tmp_path)
    count = source.limits.count
    free = np.full(count, np.inf)
    for block in blocks_of(source):
        for price in (np.zeros(count), 0.01 * np.ones(count)):
            found = settle_item(HOT, block, price, free, _over(source))
            assert not _faults(block, found.x)
            assert found.cost == pytest.approx(float(block.cost @ found.x))
            assert found.use == pytest.approx(block.used(found.x, count))
            value = found.cost + float(price @ found.use)
            best = optimum(block, block.charged(price), whole=True)
            scale = max(1.0, abs(best))
            assert found.priced is not None
            assert found.priced.bound <= best + 1e-6 * scale
            assert value >= best - 1e-6 * scale
            assert value <= best + 0.03 * scale


@pytest.mark.parametrize("case", ["capacities", "packs", "admission", "vehicles", "plain"])
def test_what_is_known_of_an_item_changes_nothing(case: str, tmp_path: Path) -> None:
    """Started from where its optimum was, at the prices alone or within another allowance, a linear plan costs what it costs anew."""
    source = source_of(case, tmp_path)
    count, over = source.limits.count, _over(source)
    none, limited = np.zeros(count), 0
    for block in blocks_of(source):
        free = price_item(HOT, block, none)
        want = block.used(free.x, count)
        known = Known(want, np.empty(0, dtype=np.int64), free.basis, free.bound)
        for part in (0.6, 0.3, 0.8):
            allowance = np.where(source.limits.hard, want * part, np.inf)
            anew, again = (
                settle_item(HOT, block, none, allowance, over, whole=False, known=given) for given in (None, known)
            )
            assert again.priced is None
            assert _worth(again, allowance, over) == pytest.approx(_worth(anew, allowance, over), rel=1e-6, abs=1e-6)
            known = Known(again.use, again.limits, again.basis, free.bound)
            limited = max(limited, len(known.limits))
    if case in ("capacities", "admission"):
        assert limited


def _worth(found: Settled, allowance: np.ndarray, over: np.ndarray) -> float:
    """What a plan costs, with what it uses beyond its allowance."""
    return found.cost + float(over @ np.maximum(found.use - np.where(np.isfinite(allowance), allowance, np.inf), 0.0))


@pytest.mark.parametrize("case", ["capacities", "packs", "admission", "vehicles", "plain"])
def test_an_allowance_is_kept_to(case: str, tmp_path: Path) -> None:
    """Half of what an item would use: no more is used wherever the item has a whole plan that does without."""
    source = source_of(case, tmp_path)
    count = source.limits.count
    pressed = 0
    for block in blocks_of(source):
        free = price_item(HOT, block, np.zeros(count))
        want = block.used(free.x, count)
        allowance = np.where(source.limits.hard, want / 2, np.inf)
        found = settle_item(HOT, block, np.zeros(count), allowance, _over(source))
        assert not _faults(block, found.x)
        if _possible(block, allowance):
            pressed += int((want > allowance + 1e-9).any())
            assert (found.use <= allowance + 1e-6 * np.maximum(1.0, want)).all()
    if case in ("capacities", "admission"):
        assert pressed


def _possible(block: Block, allowance: np.ndarray) -> bool:
    """Whether a whole plan keeps an allowance."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix = np.zeros((block.rows, block.columns))
    matrix[np.repeat(np.arange(block.rows), np.diff(block.indptr)), block.indices] = block.values
    use = np.zeros((len(allowance), block.columns))
    np.add.at(use, (block.use, block.use_column), block.use_value)
    columns, steps = block.whole
    scale, whole = np.ones(block.columns), np.zeros(block.columns)
    scale[columns], whole[columns] = steps, 1
    rows = [LinearConstraint(use * scale, -np.inf, allowance)] if len(allowance) else []
    if block.rows:
        rows.append(LinearConstraint(matrix * scale, block.row_lower, block.row_upper))
    bounds = Bounds(block.lower / scale, block.upper / scale)
    return bool(milp(np.zeros(block.columns), bounds=bounds, constraints=rows, integrality=whole).success)


def test_items_with_packs_are_near_their_own_optimum(tmp_path: Path) -> None:
    """Made-up items with packs and expiry: on average within half a percent of branch and bound, none worse than five."""
    generate(items=8, stores=4, days=5, channels=2, dcs=1, seed=11, tight=0.0, out=tmp_path)
    source = build_source(build_network(read_tables(tmp_path)))
    count = source.limits.count
    off = []
    for block in blocks_of(source):
        best = optimum(block, block.cost, whole=True)
        found = settle_item(HOT, block, np.zeros(count), np.full(count, np.inf), _over(source))
        assert not _faults(block, found.x)
        assert found.cost >= best - 1e-6 * max(1.0, abs(best))
        off.append((found.cost - best) / max(1.0, abs(best)))
    assert max(off) <= 0.05
    assert float(np.mean(off)) <= 0.005


def test_a_small_overdraft_is_put_to_its_largest_users(tmp_path: Path) -> None:
    """Of a shard's items only the largest users that hold what is asked together are planned again; all that use it where all of it is asked."""
    generate(items=8, stores=4, days=5, channels=2, dcs=1, seed=11, tight=0.0, out=tmp_path)
    source = build_source(build_network(read_tables(tmp_path)))
    count = source.limits.count
    none, price = np.full(count, np.inf), np.zeros(count)
    members = [Member.of(block, expiry) for block, expiry in source.blocks(np.arange(8))]
    shard = Shard(source, members, HOT)
    shard.price(price)
    use = np.array([member.use(count) for member in shard.members])
    resource = int((use > 0).sum(axis=0).argmax())
    users = np.flatnonzero(use[:, resource] > 0)
    assert len(users) >= 4
    largest = float(use[:, resource].max())
    for asked, expected in ((1e-6 * largest, 1), (largest + 1e-9, 2), (float(use[:, resource].sum()) * 2, len(users))):
        slack = none.copy()
        slack[resource] = -2e-7  # next to nothing, and at no price: nobody gives, everybody asked is planned
        need = np.zeros(count)
        need[resource] = asked
        work = shard.settle(price, slack, np.zeros(count), whole=False, every=False, asked=need)
        assert work.items == expected
