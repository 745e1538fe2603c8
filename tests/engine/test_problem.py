"""What the wrapper refuses before and after HiGHS, and how costs are scaled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import highspy
import numpy as np
import pytest

from allocator.engine import highs
from allocator.engine.problem import Limits, SolverError, check_problem

from .problems import linear, small

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cost": np.array([2.0, NAN])}, "cost hold a number that is not finite"),
        ({"cost": np.array([2.0, INF])}, "cost hold a number that is not finite"),
        ({"values": np.array([1.0, NAN])}, "values hold a number that is not finite"),
        ({"values": np.array([1.0, -INF])}, "values hold a number that is not finite"),
        ({"lower": np.array([0.0, NAN])}, "a column bound is not a number"),
        ({"upper": np.array([NAN, 1.0])}, "a column bound is not a number"),
        ({"row_lower": np.array([NAN])}, "a row bound is not a number"),
        ({"row_upper": np.array([NAN])}, "a row bound is not a number"),
        ({"lower": np.array([0.0, 101.0])}, "column 1 has its lower bound above its upper: 101 > 100"),
        ({"row_upper": np.array([4.0])}, "row 0 has its lower bound above its upper: 4.5 > 4"),
        ({"lower": np.zeros(3)}, "differ in length"),
        ({"upper": np.full(1, 9.0)}, "differ in length"),
        ({"integer": np.zeros(3, dtype=bool)}, "differ in length"),
        ({"row_upper": np.full(2, 9.0)}, "differ in length"),
        ({"indptr": np.array([0, 1, 2])}, "differ in length"),
        ({"indptr": np.array([0, 1])}, "matrix is not well formed"),
        ({"indices": np.array([0])}, "matrix is not well formed"),
        ({"indices": np.array([0, 2])}, "names a column that does not exist"),
        ({"indices": np.array([-1, 0])}, "names a column that does not exist"),
    ],
)
def test_bad_problems_are_refused(changed: dict[str, Any], message: str) -> None:
    """What HiGHS would take silently never reaches it."""
    check_problem(small())
    with pytest.raises(SolverError, match=message) as caught:
        check_problem(small(**changed))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1.0, 1e5, 1e9])
def test_cost_scale_brings_the_median_near_a_hundred(factor: float) -> None:
    """Costs of any currency are scaled by a power of two (exact in floating point) to a median of 70 to 142."""
    cost = factor * np.array([0.0, 1.0, 3.0, 9.0, 0.0])
    scale = highs.cost_scale(cost)
    assert math.log2(scale) == round(math.log2(scale))
    assert 70 <= 3 * factor * scale <= 142


def test_cost_scale_keeps_the_largest_cost_in_reach() -> None:
    """A wide range is not scaled beyond 1e7 (to a power of two); all zeros are left alone."""
    cost = np.array([1e-3, 1e-3, 1e-3, 1e6])
    assert 5e6 <= 1e6 * highs.cost_scale(cost) <= 1.5e7
    assert highs.cost_scale(np.zeros(3)) == 1.0


def test_self_test_passes_on_a_sound_solver() -> None:
    """The model that HiGHS 1.14.0 got wrong is right here."""
    highs.self_test()


class Altered(highspy.Highs):  # type: ignore[misc]
    """HiGHS that lies: ``lie`` is laid on its solution's columns or on its objective."""

    shift: Any = 0.0
    stated: float = 0.0

    def getSolution(self) -> Any:
        solution = super().getSolution()
        solution.col_value = list(np.array(solution.col_value) + self.shift)
        return solution

    def getInfo(self) -> Any:
        info = super().getInfo()
        info.objective_function_value += self.stated
        return info


@pytest.fixture
def liar(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Altered]]:
    """Put the lying HiGHS in the place of the real one."""
    monkeypatch.setattr(highspy, "Highs", Altered)
    yield Altered
    Altered.shift, Altered.stated = 0.0, 0.0


def test_the_go_between_is_harmless(liar: type[Altered]) -> None:
    """Without a lie the altered solver gives the right answer, so that the next tests fail for the lie alone."""
    assert highs.run(small(), Limits()).objective == pytest.approx(9.0, abs=1e-5)


def test_an_objective_that_the_point_does_not_have_is_refused(liar: type[Altered]) -> None:
    """ "Optimal" at a value that its own point does not cost is a failed solve."""
    liar.stated = 1000.0
    with pytest.raises(SolverError, match="its own point costs"):
        highs.run(small(), Limits())


@pytest.mark.parametrize(
    ("shift", "problem", "message"),
    [
        (np.array([-0.5, 0.0]), small(cost=np.array([0.0, 3.0]), upper=np.array([4.5, 100.0])), "breaks row 0"),
        (np.array([-0.5, 0.0]), linear(cost=np.array([0.0, 3.0]), upper=np.array([4.5, 100.0])), "breaks row 0"),
        (np.array([200.0, 0.0]), linear(cost=np.array([0.0, 3.0])), "breaks column 0"),
        (np.array([0.0, 0.5]), small(cost=np.array([2.0, 0.0])), "integer that is not whole"),
    ],
)
def test_a_point_that_breaks_the_problem_is_refused(
    liar: type[Altered], shift: Any, problem: Any, message: str
) -> None:
    """A point that costs what is stated but breaks a row, a bound or an integer is a failed solve."""
    highs.run(problem, Limits())
    liar.shift = shift
    with pytest.raises(SolverError, match=message):
        highs.run(problem, Limits())


def test_a_failed_self_test_says_what_to_install(liar: type[Altered]) -> None:
    """A solver that answers 15 where 9 is optimal is named in one line."""
    liar.shift = np.array([-4.5, 5.0])  # x = 0, z = 5: feasible, whole, 15
    liar.stated = 6.0 * highs.cost_scale(small().cost)
    with pytest.raises(SolverError, match=r"answers 15 where 9 is optimal\); install highspy"):
        highs.self_test()


def test_infeasible_problems_are_an_error(liar: type[Altered]) -> None:
    """A program is feasible by construction: anything else is a failed solve, never an empty plan."""
    with pytest.raises(SolverError, match="status 'Infeasible'"):
        highs.run(linear(upper=np.ones(2)), Limits())


def test_an_empty_problem_has_an_answer() -> None:
    """A network without a single decision costs nothing."""
    empty = linear(
        cost=np.zeros(0), lower=np.zeros(0), upper=np.zeros(0), integer=np.zeros(0, dtype=bool),
        indptr=np.zeros(1, dtype=int), indices=np.zeros(0, dtype=int), values=np.zeros(0),
        row_lower=np.zeros(0), row_upper=np.zeros(0),
    )  # fmt: skip
    answer = highs.run(empty, Limits())
    assert (answer.status, answer.objective) == ("optimal", 0.0)


def test_duals_of_a_linear_program_price_its_rows() -> None:
    """One more unit asked for costs 2, whatever the scale of the costs."""
    for factor in (1e-6, 1.0, 1e6):
        answer = highs.run(linear(cost=factor * np.array([2.0, 3.0])), Limits())
        assert answer.row_dual == pytest.approx([2.0 * factor])
        assert answer.bound == answer.objective == pytest.approx(9.0 * factor)
