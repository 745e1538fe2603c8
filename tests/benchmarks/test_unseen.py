"""Plans on outlooks they have not seen: nothing is lost on those they have, and on others nothing beats a plan made for them."""

from __future__ import annotations

import pytest

from allocator.backtest import Setting
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from benchmarks.unseen import drawn_anew, measured, mornings, planned, worth
from tests.backtest.test_alike import chain

TIGHT = Limits(gap=1e-6, accept=1e-6)
DAY = 8


def test_a_plan_is_worth_what_it_promises_on_its_own_outlooks() -> None:
    """No packs: the rest, left to a linear program over the same outlooks, is the plan's own; on others it earns less than a plan made for them."""
    seen = mornings(chain(), Setting(days=30, outlooks=2), [DAY], 0)
    assert seen[DAY].settings.start.toordinal() - chain().settings.start.toordinal() == DAY
    others = drawn_anew(seen[DAY], 12, 99)
    with Solver() as solver:
        best, _ = planned(others, solver, TIGHT)
        for seed in range(3):
            mine = drawn_anew(seen[DAY], 3, seed)
            promise, decided = planned(mine, solver, TIGHT)
            assert decided.quantity.sum() > 0
            assert worth(mine, decided, solver) == pytest.approx(promise, rel=1e-4)
            assert worth(others, decided, solver) < best - 1.0
        table = measured(seen, [2, 6], 2, 10, TIGHT, solver)
    assert table["outlooks"].tolist() == [2, 6]
    assert (table[["promised", "kept", "seconds"]] > 0).all(axis=None)
