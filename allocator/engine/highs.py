"""The only code that touches highspy. It runs inside the solver's child process (``worker``), one thread, one solve at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from allocator.engine.problem import Answer, Basis, Hint, Limits, Problem, SolverError

Report = Callable[[dict[str, float]], None]
Incumbent = Callable[[Any, float], None]

THREADS = 1
SEED = 0
SCALE_TARGET = 100.0
POINT_TOLERANCE = 1e-5
"""Violation of a row or column, relative where it is large, at which a point is refused."""


def cost_scale(cost: Any) -> float:
    """Power of two that brings the median cost near 100 (HAZARDS 0.6: tiny or huge costs are solved wrongly)."""
    return _scale_of(*_sizes(cost))


def scale_costs(cost: Any, span: float) -> tuple[Any, float]:
    """Costs in that scale, the largest cut to ``span`` times the median, and the scale."""
    middle, largest = _sizes(cost)
    scale = _scale_of(middle, largest)
    scaled = cost * scale
    if largest > span * middle:
        scaled = np.minimum(scaled, span * middle * scale)
    return scaled, scale


def _sizes(cost: Any) -> tuple[float, float]:
    """Median and largest size of the costs that are not 0; the upper median, as it is found in a quarter of the time."""
    size = np.abs(cost)
    size = size[size > 0]
    if not len(size):
        return 0.0, 0.0
    half = len(size) // 2
    parted = np.partition(size, half)
    return float(parted[half]), float(parted[half:].max())


def _scale_of(middle: float, largest: float) -> float:
    if middle == 0.0:
        return 1.0
    return float(2.0 ** round(math.log2(min(SCALE_TARGET / middle, 1e7 / largest))))


def run(
    problem: Problem,
    limits: Limits,
    report: Report | None = None,
    incumbent: Incumbent | None = None,
    hint: Hint | None = None,
) -> Answer:
    """Solve one problem.

    Parameters
    ----------
    problem : Problem
    limits : Limits
    report : callable, optional
        Called with bound, objective and nodes while a MIP runs.
    incumbent : callable, optional
        Called with each better solution of a MIP and its objective.
    hint : Hint, optional
        Where to start.

    Returns
    -------
    Answer

    Raises
    ------
    SolverError
        When any call is refused or the final status is not one of optimal, limit, interrupt.
    """
    import highspy

    scale = cost_scale(problem.cost)
    h: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    mip = bool(problem.integer.any())
    basis = None if mip or hint is None else _fitting(problem, hint.basis)
    options: dict[str, Any] = {
        "output_flag": False,
        "threads": THREADS,
        "random_seed": SEED,
        "mip_rel_gap": limits.gap,
        "mip_abs_gap": 1e-7,
        "presolve": "on" if limits.presolve and basis is None else "off",  # presolve would lose the basis
    }
    if math.isfinite(limits.seconds):
        options["time_limit"] = max(limits.seconds, 0.05)
    for name, value in options.items():
        _ok(highspy, h.setOptionValue(name, value), f"option {name}")
        if h.getOptionValue(name)[1] != value:
            raise SolverError(f"HiGHS kept another value for option {name}")
    _pass(highspy, h, problem, scale)
    # a basis that HiGHS can't use is left aside
    if basis is not None and h.setBasis(_as_basis(highspy, basis)) == highspy.HighsStatus.kError:
        h.clearSolver()
    if mip and hint is not None and hint.x is not None and len(hint.x) == len(problem.cost):
        point = highspy.HighsSolution()
        point.col_value = hint.x.tolist()
        h.setSolution(point)  # refused where it is no plan: the search then starts without
    stop = _Callbacks(highspy, limits, scale, report, incumbent)
    if mip:
        _ok(highspy, h.setCallback(stop, None), "callback")
        kinds = highspy.cb.HighsCallbackType
        for kind in (kinds.kCallbackMipInterrupt, kinds.kCallbackMipImprovingSolution):
            _ok(highspy, h.startCallback(kind), "callback")
    status = h.run()
    if status == highspy.HighsStatus.kError:
        raise SolverError(f"HiGHS ended with an error: {h.modelStatusToString(h.getModelStatus())}")
    answer = _answer(highspy, h, problem, scale, mip, stop)
    return replace(answer, basis=_basis(h)) if limits.basis and answer.row_dual is not None else answer


def _fitting(problem: Problem, basis: Basis | None) -> Basis | None:
    fits = basis is not None and (len(basis.columns), len(basis.rows)) == (len(problem.cost), len(problem.row_lower))
    return basis if fits else None


def _as_basis(highspy: Any, basis: Basis) -> Any:
    """A basis as HiGHS takes it."""
    kinds = {int(kind): kind for kind in highspy.HighsBasisStatus.__members__.values()}
    given = highspy.HighsBasis()
    given.col_status = [kinds[k] for k in basis.columns.tolist()]
    given.row_status = [kinds[k] for k in basis.rows.tolist()]
    given.valid = True
    return given


def _basis(h: Any) -> Basis | None:
    found = h.getBasis()
    if not found.valid:
        return None
    return Basis(*(np.array([int(k) for k in kinds], dtype=np.int8) for kinds in (found.col_status, found.row_status)))


def _pass(highspy: Any, h: Any, problem: Problem, scale: float) -> None:
    n, m, z = len(problem.cost), len(problem.row_lower), len(problem.values)
    inf = highspy.kHighsInf

    def bounded(values: Any) -> Any:
        return np.clip(values, -inf, inf).astype(np.float64)

    status = h.passModel(
        n, m, z,
        int(highspy.MatrixFormat.kRowwise), int(highspy.ObjSense.kMinimize), 0.0,
        problem.cost * scale, bounded(problem.lower), bounded(problem.upper),
        bounded(problem.row_lower), bounded(problem.row_upper),
        problem.indptr.astype(np.int32), problem.indices.astype(np.int32), problem.values.astype(np.float64),
        problem.integer.astype(np.int32),
    )  # fmt: skip
    # a warning here means dropped coefficients (|a| <= 1e-9): the plan is judged by the audit, but count what was kept
    if status == highspy.HighsStatus.kError:
        raise SolverError("HiGHS refused the program")
    if (h.getNumCol(), h.getNumRow()) != (n, m):
        raise SolverError(f"HiGHS holds {h.getNumCol()} x {h.getNumRow()}, {n} x {m} were passed")
    tiny = int((np.abs(problem.values) <= 1e-9).sum())
    if h.getNumNz() < z - tiny:
        raise SolverError(f"HiGHS holds {h.getNumNz()} coefficients, {z} were passed")


class _Callbacks:
    """Progress, incumbents, and the stop when the gap is good enough."""

    def __init__(
        self, highspy: Any, limits: Limits, scale: float, report: Report | None, incumbent: Incumbent | None
    ) -> None:
        self.kinds = highspy.cb.HighsCallbackType
        self.limits, self.scale, self.report, self.incumbent = limits, scale, report, incumbent
        self.accepted = False

    def __call__(self, kind: Any, message: str, out: Any, reply: Any, data: Any) -> None:
        if kind == self.kinds.kCallbackMipImprovingSolution:
            if self.incumbent is not None:
                self.incumbent(np.array(out.mip_solution, dtype=np.float64), out.objective_function_value / self.scale)
            return
        if kind != self.kinds.kCallbackMipInterrupt:
            return
        if self.report is not None:
            self.report(
                {
                    "bound": out.mip_dual_bound / self.scale,
                    "objective": out.mip_primal_bound / self.scale,
                    "nodes": float(out.mip_node_count),
                    "seconds": out.running_time,
                }
            )
        if out.mip_gap <= self.limits.accept and out.mip_node_count >= self.limits.nodes:
            self.accepted = True
            reply.user_interrupt = True


def _answer(highspy: Any, h: Any, problem: Problem, scale: float, mip: bool, stop: _Callbacks) -> Answer:
    kinds = highspy.HighsModelStatus
    status = h.getModelStatus()
    info = h.getInfo()
    seconds = float(h.getRunTime())
    iterations = int(max(info.simplex_iteration_count, 0) + max(info.ipm_iteration_count, 0))
    limits = (kinds.kTimeLimit, kinds.kInterrupt, kinds.kSolutionLimit, kinds.kIterationLimit)
    if status not in (kinds.kOptimal, kinds.kModelEmpty, *limits):
        raise SolverError(f"HiGHS ended with status '{h.modelStatusToString(status)}'")
    if status == kinds.kModelEmpty:
        x = np.where(problem.cost >= 0, problem.lower, problem.upper)
        value = float(problem.cost @ x)
        return Answer("optimal", x, value, value, np.zeros(len(problem.row_lower)), 0, 0, seconds)
    solution = h.getSolution()
    feasible = info.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    bound = float(info.mip_dual_bound) / scale if mip else -math.inf
    if not (solution.value_valid and feasible):
        return Answer("none", None, math.inf, bound, None, _nodes(info, mip), iterations, seconds)
    x = np.array(solution.col_value, dtype=np.float64)
    if not np.isfinite(x).all():
        raise SolverError("HiGHS returned values that are not finite")
    objective = float(problem.cost @ x)
    stated = float(info.objective_function_value) / scale
    if abs(stated - objective) > 1e-5 * max(1.0, abs(objective)):
        # seen on 1.16.0 with a MIP start: "Optimal" at a value that its own point does not have
        raise SolverError(f"HiGHS states an objective of {stated:.9g}, its own point costs {objective:.9g}")
    _check_point(problem, x)
    dual = None
    if not mip and status == kinds.kOptimal and solution.dual_valid:
        dual = np.array(solution.row_dual, dtype=np.float64) / scale
        bound = objective
    word = "optimal" if status == kinds.kOptimal else "accepted" if stop.accepted else "deadline"
    return Answer(word, x, objective, bound, dual, _nodes(info, mip), iterations, seconds)


def _check_point(problem: Problem, x: Any) -> None:
    """Refuse a point that breaks the problem, whatever HiGHS calls it; generous against its own tolerance of 1e-6."""
    terms = problem.values * x[problem.indices]
    activity, size = problem.row_sums(terms), problem.row_sums(np.abs(terms))
    for what, value, low, high, scale in (
        ("row", activity, problem.row_lower, problem.row_upper, size),
        ("column", x, problem.lower, problem.upper, np.abs(x)),
    ):
        over = np.maximum(low - value, value - high) / np.maximum(1.0, scale)
        if len(over) and over.max() > POINT_TOLERANCE:
            worst = int(np.argmax(over))
            raise SolverError(f"HiGHS's point breaks {what} {worst} by {over[worst]:.3g}")
    whole = x[problem.integer]
    if len(whole) and np.abs(whole - np.round(whole)).max() > POINT_TOLERANCE:
        raise SolverError("HiGHS's point has an integer that is not whole")


def _nodes(info: Any, mip: bool) -> int:
    return int(max(info.mip_node_count, 0)) if mip else 0


def _ok(highspy: Any, status: Any, what: str) -> None:
    if status != highspy.HighsStatus.kOk:
        raise SolverError(f"HiGHS refused {what}")


def self_test() -> None:
    """Solve ``min 2x + 3z, x + z >= 4.5, z whole``; HiGHS 1.14.0 answers 15 where 9 is optimal.

    Raises
    ------
    SolverError
        When the installed HiGHS gets it wrong.
    """
    problem = Problem(
        cost=np.array([2.0, 3.0]),
        lower=np.zeros(2),
        upper=np.full(2, 100.0),
        integer=np.array([False, True]),
        indptr=np.array([0, 2]),
        indices=np.array([0, 1]),
        values=np.ones(2),
        row_lower=np.array([4.5]),
        row_upper=np.array([np.inf]),
    )
    answer = run(problem, Limits(gap=1e-9))
    if answer.x is None or abs(answer.objective - 9.0) > 1e-4:
        raise SolverError(
            f"the installed HiGHS fails its self-test (answers {answer.objective:g} where 9 is optimal); install highspy 1.15.1 or later"
        )
