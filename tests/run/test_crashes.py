"""However a run ends, the plan folder holds the old plan or the new one, whole, and one clear line says what happened."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.engine.process import child_environment
from allocator.generate import generate
from allocator.plan import publish
from allocator.plan.plan import Plan
from allocator.plan.publish import digests
from tests.program.networks import write_case

WINDOW = 0.15
"""Seconds after the stage `write` begins within which half of the kills fall."""


@contextmanager
def planning(network: Path, out: Path, *more: str, **how: Any) -> Iterator[subprocess.Popen[str]]:
    """A run as a user starts it; killed at the end if it lives on."""
    command = [sys.executable, "-m", "allocator", "plan", str(network), "-o", str(out), *more]
    with subprocess.Popen(
        command, env=child_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how
    ) as run:
        try:
            yield run
        finally:
            run.kill()


def ended(network: Path, out: Path, *more: str, **how: Any) -> tuple[int, str]:
    """Run to the end: exit code and what was said on stderr."""
    with planning(network, out, *more, **how) as run:
        said = run.communicate(timeout=300)[1]
        return run.returncode, said


def whole(out: Path) -> str:
    """The id of the plan that a folder holds; every file must be the one its manifest names, and none beside them."""
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert digests(out) == manifest["files"]
    return str(manifest["plan_id"])


def told_to(run: subprocess.Popen[str], event: str, **facts: Any) -> None:
    """Wait until a run tells an event (with ``--log json``)."""
    assert run.stderr is not None
    for line in run.stderr:
        found = json.loads(line)
        if found["event"] == event and facts.items() <= found.items():
            return
    raise AssertionError(f"the run ended without {event} {facts}")


def kill(network: Path, out: Path, dice: random.Random, span: float, *more: str) -> None:
    """Start a run and kill it at a random moment, half of the time while it writes."""
    with planning(network, out, "--log", "json", *more) as run:
        if dice.random() < 0.5:
            told_to(run, "stage", stage="write")
            time.sleep(dice.uniform(0, WINDOW))
        else:
            time.sleep(dice.uniform(0, span))
        run.send_signal(signal.SIGKILL)


def rules_plan(network: Path, out: Path) -> str:
    """Publish the plan of the rules engine; its id."""
    allocator.solve(allocator.read(network), engine="rules").write(out)
    return whole(out)


def survive(folder: Path, kills: int, *more: str) -> None:
    """Kill runs over an old plan again and again; the old or the new plan stands each time, and the next run is not disturbed."""
    network, out = write_case("vehicles", folder), folder / "out" / "plan"
    old = rules_plan(network, out)
    began = time.monotonic()
    assert ended(network, folder / "out" / "clean", *more)[0] == 0
    span = time.monotonic() - began
    new, dice = whole(folder / "out" / "clean"), random.Random(kills)
    for _ in range(kills):
        kill(network, out, dice, span, *more)
        assert whole(out) in (old, new)
    assert ended(network, out, *more)[0] == 0
    assert whole(out) == new
    clean = digests(folder / "out" / "clean")
    assert {name: digest for name, digest in digests(out).items() if name.endswith(".parquet")} == {
        name: digest for name, digest in clean.items() if name.endswith(".parquet")
    }
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["clean", "plan"], "nothing is left beside"


def test_a_killed_run_leaves_a_whole_plan(tmp_path: Path) -> None:
    """Three runs killed at random moments leave the old plan or the new one, and the next run ends as if they had not been."""
    survive(tmp_path, 3)


@pytest.mark.long
def test_fifty_killed_runs_leave_a_whole_plan(tmp_path: Path) -> None:
    """The same for fifty."""
    survive(tmp_path, 50)


@pytest.mark.long
def test_a_killed_priced_run_is_resumed_to_the_same_answer(tmp_path: Path) -> None:
    """Priced runs killed at random moments and resumed: old or new plan each time, and in the end the clean run's tables."""
    more = ("--engine", "priced", "--workers", "1")
    network, out, clean = tmp_path / "net", tmp_path / "out" / "plan", tmp_path / "out" / "clean"
    generate(12, 4, out=network)
    began = time.monotonic()
    assert ended(network, clean, *more)[0] in (0, 3)
    span, dice = time.monotonic() - began, random.Random(7)
    for _ in range(6):
        with planning(network, out, "--resume", *more) as run:
            time.sleep(dice.uniform(0.2 * span, span))
            run.send_signal(signal.SIGKILL)
        assert not out.exists() or whole(out)
    assert ended(network, out, "--resume", *more)[0] in (0, 3)
    first, last = (json.loads((folder / "certificate.json").read_text("utf-8")) for folder in (clean, out))
    assert last["bound"] == pytest.approx(first["bound"], rel=1e-9)
    assert last["objective"] == pytest.approx(first["objective"], rel=1e-9)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_an_interrupt_publishes_the_best_plan_so_far(number: signal.Signals, tmp_path: Path) -> None:
    """A run told to end while the solver works publishes what it has, audited, with exit code 130."""
    network, out = tmp_path / "net", tmp_path / "plan"
    generate(30, 10, out=network)
    with planning(network, out, "--log", "json", "--gap", "0") as run:
        told_to(run, "stage", stage="solve")
        run.send_signal(number)
        said = run.communicate(timeout=120)[1]
    assert run.returncode == 130, said
    assert whole(out)
    plan = allocator.read_plan(out)
    assert plan.certificate["status"] == "interrupted"
    assert plan.certificate["audit"]["ok"]
    assert plan.certificate["objective"] <= plan.certificate["rules_objective"] + 1e-6
    assert "Traceback" not in said


def test_an_interrupt_before_any_plan_publishes_nothing(tmp_path: Path) -> None:
    """A run told to end while it reads leaves nothing, says so in one line, and frees the output."""
    network, out = tmp_path / "net", tmp_path / "out" / "plan"
    generate(30, 10, out=network)
    with planning(network, out, "--log", "json") as run:
        told_to(run, "start")
        run.send_signal(signal.SIGTERM)
        said = run.communicate(timeout=120)[1]
    assert run.returncode == 130, said
    assert said.splitlines()[-1] == "interrupted: nothing was published"
    assert "Traceback" not in said
    assert list((tmp_path / "out").iterdir()) == []


def test_a_second_run_on_an_output_is_told_who_holds_it(tmp_path: Path) -> None:
    """Exit code 4, and the process that holds the folder is named; what is there stays."""
    network, out = write_case("plain", tmp_path), tmp_path / "plan"
    with publish.held(out):
        code, said = ended(network, out)
    assert code == 4
    assert said.splitlines()[-1].endswith(f"is held by process {os.getpid()}; wait for it or give another -o")
    assert not out.exists()


def test_a_full_disk_leaves_the_old_plan(tmp_path: Path) -> None:
    """A run that may write no large file ends with one line and exit code 1; the old plan stays and nothing lies beside it."""
    network, out = write_case("plain", tmp_path), tmp_path / "out" / "plan"
    old = rules_plan(network, out)
    code, said = ended(network, out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    assert code == 1
    assert "nothing was published, what was there before is untouched" in said
    assert len(said.splitlines()) == 1, said
    assert whole(out) == old
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plan"]


@pytest.mark.parametrize("place", ["/proc/plan", "/dev/null/plan"])
def test_a_place_that_takes_no_plan_is_one_line(place: str, tmp_path: Path) -> None:
    """An output where no folder can be made ends with one line and exit code 1 or 2."""
    code, said = ended(write_case("plain", tmp_path), Path(place))
    assert code in (1, 2)
    assert "nothing was published" in said
    assert len(said.splitlines()) == 1, said


def test_a_plan_of_the_future_is_replaced(tmp_path: Path) -> None:
    """A clock set back since the last run changes nothing: no rule compares times of day."""
    network, out = write_case("plain", tmp_path), tmp_path / "plan"
    plan = allocator.solve(allocator.read(network))
    plan.write(out)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    (out / "manifest.json").write_text(json.dumps(manifest | {"created": "2099-01-01T00:00:00+00:00"}), "utf-8")
    os.utime(out / "manifest.json", (4e9, 4e9))
    plan.write(out)
    assert whole(out) == manifest["plan_id"]
    assert json.loads((out / "manifest.json").read_text("utf-8"))["created"] < "2099"


STEPS = ("write_table", "write_json", "_sync", "_exchange")


def failing(monkeypatch: pytest.MonkeyPatch, at: int) -> Callable[[], int]:
    """Make the step number `at` of a publication fail as a full disk does; says how many steps there were."""
    count = [0]

    def wrap(step: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            count[0] += 1
            if count[0] == at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return step(*arguments)

        return wrapped

    for name in STEPS:
        wrapped = wrap(getattr(publish, name))
        monkeypatch.setattr(publish, name, wrapped)
        if hasattr(sys.modules["allocator.plan.plan"], name):
            monkeypatch.setattr(f"allocator.plan.plan.{name}", wrapped)
    return lambda: count[0]


def test_every_step_of_publishing_may_fail(tmp_path: Path) -> None:
    """Each write, sync and swap fails once: the old plan stands whole each time; without a failure the new one does."""
    plan = allocator.solve(allocator.read(write_case("plain", tmp_path)))
    plan.write(tmp_path / "old")
    manifest = json.loads((tmp_path / "old" / "manifest.json").read_text("utf-8"))
    (tmp_path / "old" / "manifest.json").write_text(json.dumps(manifest | {"plan_id": "old"}), "utf-8")
    out, at = tmp_path / "out" / "plan", 0
    while True:
        at += 1
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(tmp_path / "old", out)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Plan, "report", lambda plan: "drawn once is enough\n")
            steps = failing(patch, at)
            try:
                plan.write(out)
            except OSError:
                assert whole(out) == "old"
                assert [path.name for path in out.parent.iterdir()] == ["plan"]
                continue
            assert steps() == at - 1
            break
    assert at > 30
    assert whole(out) == manifest["plan_id"]
