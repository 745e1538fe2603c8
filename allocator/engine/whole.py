"""Solve a program whole: one MIP, then the linear program with its integers fixed, then whole units."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.fixing import fix_integers
from allocator.engine.keep import kept_units
from allocator.engine.problem import COST_SPAN, Answer, Basis, Hint, Limits, Problem, SolverError, relative_gap
from allocator.engine.process import Progress, Solver
from allocator.engine.rings import RING_ROUNDS, cancel_rings, close_rings, ring_columns
from allocator.engine.snap import Quanta, in_quanta, snap
from allocator.network.network import Network
from allocator.program.stack import Program

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LAST = 0.1
"""Time that anything is given once there is none left, to answer at all. [s]"""
CLOSE_COLUMNS = 60_000
"""Largest program whose single units are settled in one more integer program when they leave a gap."""


@dataclass(frozen=True)
class Solution:
    """A whole-unit point of a program and what is proven about it.

    Attributes
    ----------
    x : (n,) float
        Quantities whole in each item's quantum, packs and vehicles whole.
    objective : float
        ``cost @ x``. [currency]
    bound : float
        No point of the program costs less.
    status : str
        ``optimal`` (the asked gap is proven), ``accepted`` (good enough after the work that was given), ``deadline``, or ``open``
        (HiGHS was done, but whole units leave a larger gap).
    row_dual : (m,) float
        Prices of the rows with the integers fixed; zeros when the deadline left no time for them.
    proof : str
        ``lp`` or ``branch and bound``.
    nodes, iterations : int
    basis : Basis or None
        Of the linear program with the integers fixed.
    """

    x: FloatArray
    objective: float
    bound: float
    status: str
    row_dual: FloatArray
    proof: str
    nodes: int
    iterations: int
    basis: Basis | None = None


class NoPlanError(RuntimeError):
    """The deadline came before HiGHS had any point."""

    def __init__(self, bound: float) -> None:
        super().__init__("the deadline came before the solver had a plan")
        self.bound = bound


def as_problem(program: Program) -> Problem:
    """The arrays of a program."""
    return Problem(
        program.cost,
        program.lower,
        program.upper,
        program.integer,
        program.indptr,
        program.indices,
        program.values,
        program.row_lower,
        program.row_upper,
    )


def solve_whole(
    network: Network,
    program: Program,
    solver: Solver,
    limits: Limits,
    progress: Progress | None = None,
    stage: Callable[[str], None] | None = None,
    start: Hint | None = None,
) -> Solution:
    """Solve a program to a proven gap.

    Parameters
    ----------
    network : Network
    program : Program
    solver : Solver
    limits : Limits
        ``seconds`` covers everything done here.
    progress, stage : callable, optional
        Events of the running MIP; names of the stages.
    start : Hint, optional
        Point and basis of a like program: the linear program with its integers is solved from its basis, and the MIP starts there.

    Returns
    -------
    Solution

    Raises
    ------
    NoPlanError
        When the deadline came before any point.
    SolverError
        When HiGHS fails twice, with and without presolve.
    """
    end = time.monotonic() + limits.seconds
    problem = as_problem(program)

    def left() -> float:
        return max(end - time.monotonic(), LAST) if math.isfinite(end) else math.inf

    tell = stage or (lambda name: None)
    quanta = Quanta.of(network, program)

    def attempt(problem: Problem) -> _Found:
        return _attempt(quanta, problem, solver, replace(limits, seconds=left()), left, progress, tell, start)

    first: _Found | None = None
    problem, capped = cap_costs(problem)
    for _ in range(RING_ROUNDS):
        found = attempt(problem)
        if (found.x[capped] > 0).any():
            # what was capped had to be paid: its real price decides who pays it
            problem, capped = replace(problem, cost=program.cost), np.zeros_like(capped)
            found = attempt(problem)
        first = first or found
        x, rings = cancel_rings(problem, found.x, lambda x: ring_columns(network, program, x))
        if not rings:
            break
        problem = close_rings(problem, x, rings)
    else:
        raise SolverError(f"goods go round rings of same-day lanes in every plan of {RING_ROUNDS} tries")
    objective = float(program.cost @ x)
    return Solution(
        x=x,
        objective=objective,
        # closing rings only takes choices away: what the first program proved still holds
        bound=min(first.bound, objective),
        status=_status(objective, first.bound, found.status, limits),
        row_dual=np.zeros(len(program.row_lower)) if found.dual is None else found.dual,
        proof="branch and bound" if problem.integer.any() else "lp",
        nodes=found.nodes,
        iterations=found.iterations,
        basis=found.basis,
    )


@dataclass(frozen=True)
class _Found:
    x: FloatArray
    bound: float
    status: str
    dual: FloatArray | None
    nodes: int
    iterations: int
    basis: Basis | None


def _attempt(
    quanta: Quanta,
    problem: Problem,
    solver: Solver,
    limits: Limits,
    left: Callable[[], float],
    progress: Progress | None,
    tell: Callable[[str], None],
    start: Hint | None,
) -> _Found:
    """One MIP, its prices, its whole units."""
    tell("solve")
    mip, basis, guess = bool(problem.integer.any()), start.basis if start else None, None
    if mip and start is not None and start.x is not None:
        guess = fix_integers(solver, problem, start.x, Limits(seconds=left(), basis=True), basis)
    hint = Hint(x=guess.x) if guess else None if mip else start
    # a tenth of the time is kept for prices and whole units
    answer = _robust(solver, problem, replace(limits, seconds=0.9 * limits.seconds, basis=not mip), progress, hint)
    if answer.x is None:
        raise NoPlanError(answer.bound)
    linear, iterations = answer, answer.iterations
    if mip:
        tell("prices")
        iterations += guess.iterations if guess else 0
        if guess and _same_integers(problem, guess.x, answer.x):
            linear = guess
        else:
            fixed = fix_integers(
                solver, problem, answer.x, Limits(seconds=left(), basis=True), guess.basis if guess else None
            )
            iterations += fixed.iterations if fixed else 0
            linear = fixed or replace(answer, row_dual=None)
    assert linear.x is not None
    dual = linear.row_dual
    tell("whole units")
    kept = None
    if start is not None:
        # half of the time is kept for settling all units, should the start's be of no use
        kept = kept_units(quanta, problem, linear.x, start, solver, limits.gap, lambda: left() / 2)
    x = kept if kept is not None else _snapped(quanta, problem, linear.x, solver, left, answer.bound)
    need = replace(limits, seconds=left(), gap=limits.gap if answer.status == "optimal" else limits.accept)
    x, bound, more = _close(quanta, problem, x, answer.bound, solver, need, progress)
    return _Found(x, bound, answer.status, dual, answer.nodes, iterations + more, linear.basis)


def _snapped(
    quanta: Quanta, problem: Problem, x: FloatArray, solver: Solver, left: Callable[[], float], bound: float
) -> FloatArray:
    """`snap`; where the time ran out before it had found anything there is no plan, which is no failure of the solver."""
    try:
        return snap(quanta, problem, x, solver, left)
    except SolverError:
        if left() <= LAST:
            raise NoPlanError(bound) from None
        raise


def cap_costs(problem: Problem) -> tuple[Problem, BoolArray]:
    """The problem with its largest costs cut to ``COST_SPAN`` times the median cost, and (n,) which were cut.

    HiGHS proves wrong optima when costs span over some nine orders (an unmet_cost of 1e12 beside freight of 10). Cutting a
    cost of a quantity that can't be negative only makes plans cheaper: the bound holds for the real costs, and a point that uses
    nothing that was cut costs the same.
    """
    size = np.abs(problem.cost[problem.cost != 0])
    cap = COST_SPAN * float(np.median(size)) if len(size) else np.inf
    cut = problem.cost > cap
    return replace(problem, cost=np.where(cut, cap, problem.cost)), cut


def _close(
    quanta: Quanta,
    problem: Problem,
    x: FloatArray,
    bound: float,
    solver: Solver,
    limits: Limits,
    progress: Progress | None,
) -> tuple[FloatArray, float, int]:
    """Where whole units left a gap that the linear units did not have, settle every unit in one integer program, if it is small enough.

    Single units are not integers of the first program (docs/semantics.md): its bound holds, but tiny networks can show the difference.
    """
    cost = float(problem.cost @ x)
    slack = limits.gap * max(abs(cost), 1.0)
    if cost - bound <= slack or not quanta.decision.any() or len(problem.cost) > CLOSE_COLUMNS:
        return x, bound, 0
    whole, scale = in_quanta(problem, quanta.decision, quanta.step)
    try:
        answer = solver.solve(whole, limits, progress)
    except SolverError:
        return x, bound, 0
    bound = max(bound, answer.bound)
    if answer.x is None:
        return x, bound, answer.iterations
    better = quanta.rounded(problem, np.where(problem.integer, np.round(answer.x), answer.x) * scale)
    return (better if float(problem.cost @ better) < cost else x), bound, answer.iterations


def _status(objective: float, bound: float, first: str, limits: Limits) -> str:
    """Status by the gap that is really left, whatever HiGHS called it."""
    gap = relative_gap(objective, bound)
    if gap <= limits.gap * (1 + 1e-9) + 1e-12:
        return "optimal"
    if gap <= limits.accept:
        return "accepted"
    return "deadline" if first == "deadline" else "open"


def _robust(solver: Solver, problem: Problem, limits: Limits, progress: Progress | None, hint: Hint | None) -> Answer:
    """Solve; when HiGHS fails, once more without presolve (HAZARDS 4.6) and from nothing."""
    try:
        return solver.solve(problem, limits, progress, hint) if hint else solver.solve(problem, limits, progress)
    except SolverError:
        return solver.solve(problem, replace(limits, presolve=False), progress)


def _same_integers(problem: Problem, one: FloatArray | None, other: FloatArray | None) -> bool:
    assert one is not None
    assert other is not None
    return bool((np.round(one[problem.integer]) == np.round(other[problem.integer])).all())
