"""One HiGHS process for all networks of these tests: starting one costs more than solving a small network."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import pytest

import allocator.optimise
from allocator.engine.process import Solver


class Lasting:
    """Stands where the run starts its own process: lends the one that lasts, and starts another when it has ended."""

    solver: Solver | None = None

    def __init__(self, yields: bool = False, presolve: bool = True) -> None:
        """Of no account here: the process that is lent is as it was started."""

    def __enter__(self) -> Solver:
        if Lasting.solver is None or Lasting.solver._process.poll() is not None:
            Lasting.solver = Solver()
        Lasting.solver.seconds = 0.0
        return Lasting.solver

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep it."""


@pytest.fixture(autouse=True)
def _lasting_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.optimise, "Solver", Lasting)


@pytest.fixture(scope="session", autouse=True)
def _end_solver() -> Iterator[None]:
    yield
    if Lasting.solver is not None:
        Lasting.solver.close()
        Lasting.solver = None
