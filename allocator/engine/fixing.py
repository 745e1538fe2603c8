"""A program with some of its columns fixed: a linear program, solved from a basis where there is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import Answer, Basis, Hint, Limits, Problem, SolverError
from allocator.engine.process import Solver


def fix_integers(
    solver: Solver, problem: Problem, x: NDArray[np.float64], limits: Limits, basis: Basis | None = None
) -> Answer | None:
    """The linear program with the integers fixed at those of x (rounded, within their bounds), for its point and its prices; None without one."""
    return fix_columns(solver, problem, problem.integer, np.round(x), limits, basis)


def fix_columns(
    solver: Solver,
    problem: Problem,
    fixed: NDArray[np.bool_],
    at: NDArray[np.float64],
    limits: Limits,
    basis: Basis | None,
) -> Answer | None:
    """The linear program with some columns fixed at values (within their bounds), from a basis if there is one; None without a plan."""
    value = np.clip(at, problem.lower, problem.upper)
    lower, upper = (np.where(fixed, value, bound) for bound in (problem.lower, problem.upper))
    linear = replace(problem.relaxed, lower=lower, upper=upper)
    try:
        found = solver.solve(linear, limits, hint=Hint(basis=basis)) if basis else solver.solve(linear, limits)
    except SolverError:
        return None
    return found if found.x is not None else None
