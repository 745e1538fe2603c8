"""The solver's child process: answers, deaths, deadlines, messages."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from allocator.engine import frames, process
from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver

from .problems import endless, linear, small


def test_answers(solver: Solver) -> None:
    """A MIP comes back with its point and its bound, a linear program with its prices."""
    mip = solver.solve(small(), Limits(gap=1e-9))
    assert mip.status == "optimal"
    assert mip.objective == pytest.approx(9.0, abs=1e-4)
    assert mip.bound <= mip.objective + 1e-9
    assert mip.row_dual is None
    lp = solver.solve(linear(), Limits())
    assert lp.x == pytest.approx([4.5, 0.0])
    assert lp.row_dual == pytest.approx([2.0])


def test_two_solves_in_one_process_are_identical(solver: Solver) -> None:
    """No state of one solve leaks into the next: the same problem gives the same bytes, others in between."""
    limits = Limits(accept=10.0, nodes=20, seconds=60)
    first = solver.solve(endless(), limits)
    solver.solve(linear(), Limits())
    second = solver.solve(endless(), limits)
    assert first.x is not None
    assert second.x is not None
    assert first.x.tobytes() == second.x.tobytes()
    assert (first.objective, first.bound, first.nodes) == (second.objective, second.bound, second.nodes)


def test_good_enough_is_accepted_after_the_work(solver: Solver) -> None:
    """With ``accept`` the MIP ends once its nodes are spent, and says that it was accepted."""
    answer = solver.solve(endless(), Limits(accept=10.0, nodes=5, seconds=60))
    assert answer.status == "accepted"
    assert answer.nodes >= 5
    assert answer.bound < answer.objective


def test_progress_reports_bound_and_best(solver: Solver) -> None:
    """While a MIP runs, its bound never passes its best plan."""
    seen: list[dict[str, float]] = []
    answer = solver.solve(endless(), Limits(seconds=1.2), seen.append)
    assert answer.status == "deadline"
    assert seen
    assert all(event["bound"] <= event["objective"] for event in seen)
    assert {"bound", "objective", "nodes", "seconds"} == set(seen[0])


def test_refusal_is_an_error_and_the_process_lives_on(solver: Solver) -> None:
    """A problem that HiGHS cannot solve gives one line; the next problem is solved by the same process."""
    pid = solver._process.pid
    with pytest.raises(SolverError, match="status 'Infeasible'"):
        solver.solve(linear(upper=np.ones(2)), Limits())
    assert solver.solve(linear(), Limits()).objective == pytest.approx(9.0)
    assert solver._process.pid == pid


def test_death_of_the_process_is_one_line_and_the_next_solve_starts_another() -> None:
    """Killed in the middle of a solve (out of memory, say), the solver says so; the next problem gets a fresh process."""
    with Solver() as own:
        own.solve(linear(), Limits())
        threading.Timer(0.4, os.kill, (own._process.pid, signal.SIGKILL)).start()
        with pytest.raises(SolverError, match=r"ended unexpectedly \(exit code -9\)") as caught:
            own.solve(endless(), Limits(seconds=20))
        assert "\n" not in str(caught.value)
        assert own.solve(linear(), Limits()).objective == pytest.approx(9.0)


def test_deadline_kills_a_solver_that_overruns_and_keeps_its_best_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """HiGHS deaf to its time limit is ended by the parent; the best point so far is the answer, and more can be solved."""

    def deaf(limits: Limits) -> dict[str, Any]:
        return {"gap": limits.gap, "accept": limits.accept, "nodes": 0, "seconds": 1e6, "presolve": True}

    with Solver() as own:
        own.solve(linear(), Limits())
        pid = own._process.pid
        with monkeypatch.context() as patch:
            patch.setattr(process, "asdict", deaf)
            began = time.monotonic()
            answer = own.solve(endless(), Limits(seconds=1.0))
        assert time.monotonic() - began < 3.0
        assert answer.status == "deadline"
        assert answer.x is not None
        problem = endless()
        assert answer.objective == pytest.approx(float(problem.cost @ answer.x))
        assert np.abs(answer.x[problem.integer] - np.round(answer.x[problem.integer])).max() < 1e-6
        assert answer.bound <= answer.objective
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert own.solve(linear(), Limits()).objective == pytest.approx(9.0)


def test_a_closed_solver_says_so() -> None:
    """After close nothing is started again."""
    own = Solver()
    own.close()
    with pytest.raises(SolverError, match="was closed"):
        own.solve(linear(), Limits())


def test_a_solver_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ends at once is one line, not a hang."""
    monkeypatch.setattr(process.sys, "executable", "/bin/false")
    with Solver() as own, pytest.raises(SolverError, match=r"ended unexpectedly \(exit code 1\)"):
        own.solve(linear(), Limits())


def test_a_failed_self_test_refuses_every_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that fails its self-test never gets a problem."""
    code = (
        "import sys, json; from allocator.engine import frames;"
        "frames.send(sys.stdout.buffer, frames.JSON, json.dumps({'error': 'fails its self-test'}).encode());"
        "sys.stdin.buffer.read()"
    )
    begin = subprocess.Popen

    def other(command: list[str], **options: Any) -> Any:
        return begin([sys.executable, "-c", code], **options)

    monkeypatch.setattr(process.subprocess, "Popen", other)
    with Solver() as own, pytest.raises(SolverError, match="fails its self-test"):
        own.solve(linear(), Limits())


def test_the_child_ends_with_its_parent(tmp_path: Any) -> None:
    """A parent that is killed leaves no solver behind."""
    code = (
        "import sys; from tests.engine.problems import endless, linear\n"
        "from allocator.engine.problem import Limits; from allocator.engine.process import Solver\n"
        "s = Solver(); s.solve(linear(), Limits()); print(s._process.pid, flush=True); s.solve(endless(), Limits())"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(p for p in sys.path if p))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    end = time.monotonic() + 3.0
    while time.monotonic() < end and _alive(child):
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    """Whether a process runs (one that was ended but not yet collected does not)."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("names", [(), ("x",), ("x", "whole", "flags", "empty", "grid")])
def test_arrays_survive_the_way(names: tuple[str, ...]) -> None:
    """Named arrays come back with their type, shape and every bit, infinities and NaN included."""
    arrays = {
        "x": np.array([0.1, -0.0, np.inf, np.nan, 5e-324]),
        "whole": np.array([-(2**62), 7]),
        "flags": np.array([True, False]),
        "empty": np.zeros(0),
        "grid": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    sent = {name: arrays[name] for name in names}
    stream = io.BytesIO()
    frames.send(stream, frames.ARRAYS, frames.pack(sent))
    frames.send(stream, frames.JSON, b"{}")
    stream.seek(0)
    message = frames.receive(stream)
    assert message is not None
    assert message[0] == frames.ARRAYS
    got = frames.unpack(message[1])
    assert list(got) == list(sent)
    for name, array in sent.items():
        assert got[name].dtype == array.dtype
        assert got[name].shape == array.shape
        assert got[name].tobytes() == np.ascontiguousarray(array).tobytes()
    assert frames.receive(stream) == (frames.JSON, b"{}")
    assert frames.receive(stream) is None


@pytest.mark.parametrize("left", [0, 1, 8, 9, 12])
def test_a_message_cut_short_is_the_end(left: int) -> None:
    """A stream that ends inside a message is the end of the stream, never half a message."""
    stream = io.BytesIO()
    frames.send(stream, frames.JSON, b"12345")
    assert frames.receive(io.BytesIO(stream.getvalue()[:left])) is None


def test_objects_are_never_unpacked() -> None:
    """Arrays of Python objects (pickles) are refused on both sides."""
    with pytest.raises(ValueError, match="allow_pickle"):
        frames.pack({"x": np.array([object()], dtype=object)})
