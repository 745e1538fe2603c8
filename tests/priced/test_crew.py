"""Workers as processes: one that is killed is replaced, one shard that kills again and again ends the run, deadlines hold."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import allocator
from allocator.engine.problem import SolverError
from allocator.generate import generate
from allocator.network import build_network
from allocator.priced.crew import Order, Reply
from allocator.priced.engine import build_source
from allocator.priced.local import Hands, LocalCrew
from allocator.priced.sample import cut
from allocator.priced.source import Source, write_source
from allocator.tables import Tables, read_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """A made-up network of eight items."""
    folder = tmp_path_factory.mktemp("crew")
    generate(items=8, stores=3, days=4, channels=2, dcs=1, seed=4, tight=0.3, out=folder)
    return read_tables(folder)


@pytest.fixture(scope="module")
def made(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Path, list[np.ndarray]]:
    """Its source, written, and its shards."""
    network = build_network(tables)
    source, folder = build_source(network), tmp_path_factory.mktemp("source")
    write_source(source, folder)
    return source, folder, cut(network)


@pytest.fixture(scope="module")
def crew(made: tuple[Source, Path, list[np.ndarray]]) -> Iterator[LocalCrew]:
    """Two workers; each test leaves two that work."""
    _, folder, shards = made
    with LocalCrew(folder, shards, 2) as workers:
        yield workers


def _bounds(crew: LocalCrew, source: Source, killing: set[int] | None = None) -> dict[int, float]:
    """Every shard's bound at no prices; the worker of the first order for each shard of ``killing`` is killed when the order goes out."""
    found: dict[int, float] = {}
    killing = set(killing or ())
    price = np.zeros(source.limits.count)

    def order(shard: int, worker: int) -> Order:
        if shard in killing:
            killing.discard(shard)
            os.kill(crew.pids[worker], signal.SIGKILL)
        return {"do": "price"}, {"price": price}

    def done(reply: Reply) -> None:
        found[reply.shard] = reply.facts["bound"]

    assert crew.run(range(len(crew.shards)), order, done) == []
    return found


def test_a_killed_worker_is_replaced(crew: LocalCrew, made: tuple[Source, Path, list[np.ndarray]]) -> None:
    """Killed with -9 in mid-round: its shard goes again, the bounds are the same, and it is told how many were lost."""
    before = _bounds(crew, made[0])
    pids = crew.pids
    again = _bounds(crew, made[0], killing={0, 5})
    assert crew.spent.lost == 2
    assert not set(pids) & set(crew.pids)
    assert sorted(again) == sorted(before) == list(range(8))
    assert [again[s] for s in range(8)] == pytest.approx([before[s] for s in range(8)], rel=1e-9)


def test_a_worker_killed_while_idle_is_replaced(crew: LocalCrew, made: tuple[Source, Path, list[np.ndarray]]) -> None:
    """Killed between rounds: the next round is whole all the same."""
    before = _bounds(crew, made[0])
    os.kill(crew.pids[1], signal.SIGKILL)
    assert _bounds(crew, made[0]) == pytest.approx(before, rel=1e-9)


def test_a_time_that_is_up_is_kept_to(crew: LocalCrew, made: tuple[Source, Path, list[np.ndarray]]) -> None:
    """No order goes out after the time is up: all shards are named as missing, and the crew goes on working."""
    missing = crew.run(range(8), lambda shard, worker: ({"do": "price"}, {}), lambda reply: None, time.monotonic() - 1)
    assert missing == list(range(8))
    assert len(_bounds(crew, made[0])) == 8


def test_workers_started_before_there_is_work_are_taken_and_the_others_ended(
    made: tuple[Source, Path, list[np.ndarray]],
) -> None:
    """Three wait, one died waiting: two are taken, the dead one is replaced when its first order comes back as lost, the third ends with the hands."""
    source, folder, shards = made
    with Hands(3) as hands:
        waiting = {process.pid: process for process in hands._idle}
        dead = hands._idle[-1]
        dead.kill()
        dead.wait()
        with LocalCrew(folder, shards, 2, hands) as crew:
            assert set(crew.pids) < set(waiting)
            bounds = _bounds(crew, source)
            assert crew.spent.lost <= 1
            assert dead.pid not in crew.pids
        assert len(bounds) == len(shards)
    assert all(process.poll() is not None for process in waiting.values())


def test_a_shard_that_costs_three_workers_ends_the_run(made: tuple[Source, Path, list[np.ndarray]]) -> None:
    """The third worker that dies over one shard is one too many, and the shard is named."""
    source, folder, shards = made

    with LocalCrew(folder, shards, 1) as crew:

        def order(shard: int, worker: int) -> Order:
            os.kill(crew.pids[worker], signal.SIGKILL)
            return {"do": "price"}, {"price": np.zeros(source.limits.count)}

        with pytest.raises(SolverError, match=r"shard 3 .* has cost 3 workers"):
            crew.run([3], order, lambda reply: None)


def test_a_plan_is_made_though_workers_are_killed(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker dies in every pass of a whole run: the bound is the same, the audit passes, the loss is told."""
    calm = allocator.solve(tables, engine="priced", workers=2)
    send, sent = LocalCrew._send, []

    def deadly(self: LocalCrew, worker: int, order: dict, arrays: dict) -> None:
        sent.append(order)
        if len(sent) in (5, 20):
            os.kill(self.pids[worker], signal.SIGKILL)
        send(self, worker, order, arrays)

    monkeypatch.setattr(LocalCrew, "_send", deadly)
    plan = allocator.solve(tables, engine="priced", workers=2)
    assert plan.audit is not None
    assert plan.audit.ok
    assert plan.certificate["engine"] == "priced"
    assert plan.manifest["solver"]["lost_workers"] == 2
    assert plan.certificate["bound"] == pytest.approx(calm.certificate["bound"], rel=1e-6)


@pytest.mark.long
@pytest.mark.parametrize("deadline", [2.0, 15.0])
def test_a_deadline_is_kept(deadline: float, tmp_path: Path) -> None:
    """A mid network: the run ends within 5 % and a second of the deadline, with a plan, of the rules at worst."""
    generate(items=120, stores=15, days=7, channels=2, dcs=1, seed=6, tight=0.5, out=tmp_path)
    found = read_tables(tmp_path)
    began = time.monotonic()
    plan = allocator.solve(found, engine="priced", workers=2, deadline=deadline, gap=1e-6)
    assert time.monotonic() - began <= 1.05 * deadline + 1.0
    assert plan.audit is not None
    assert plan.audit.ok
    assert plan.exit_code in (0, 3)
