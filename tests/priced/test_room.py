"""A limit on memory: what it leaves room for, what keeps to it, and what is refused."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import allocator
from allocator import memory
from allocator.cli import cli
from allocator.generate import generate
from allocator.memory import MemoryLimitError
from allocator.priced import engine, sample
from allocator.priced.crew import AHEAD
from allocator.priced.proof import prove_bound
from allocator.priced.room import Room, room
from allocator.priced.source import CHUNK
from allocator.tables.findings import InputError
from tests.program.networks import write_case

MEGA, GIGA = 1 << 20, 1 << 30


def test_less_memory_means_fewer_workers_then_smaller_shards() -> None:
    """Room never grows as the limit falls; all there is changes nothing, the least of it leaves one worker that stamps item by item."""
    sizes = np.full(100_000, 20_000)
    assert room(sizes, 8, 200 * GIGA, 0) == Room(8, min(CHUNK // 20_000, AHEAD), CHUNK)
    found = [room(sizes, 8, limit, 0) for limit in range(11 * GIGA, 14 * GIGA, 100 * MEGA)]
    assert [r.workers for r in found] == sorted(r.workers for r in found)
    assert found[0].workers < 8
    alone = [r for r in found if r.workers == found[0].workers]
    assert [r.chunk for r in alone] == sorted(r.chunk for r in alone)


def test_what_can_t_be_kept_says_what_could() -> None:
    """The limit that the message asks for is enough, and not by far."""
    sizes = np.full(1000, 30_000)
    with pytest.raises(MemoryLimitError, match=r"give it (\d+) MB or more") as told:
        room(sizes, 4, 200 * MEGA, 150 * MEGA)
    enough = int(str(told.value).rpartition("give it ")[2].split()[0]) * MEGA
    assert room(sizes, 4, enough, 150 * MEGA).workers == 1
    with pytest.raises(MemoryLimitError):
        room(sizes, 4, int(0.9 * enough), 150 * MEGA)


def test_a_small_limit_makes_smaller_shards_of_the_same_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room to stamp two items at once no shard holds more; the plan is good and its bound is proven again."""
    network = generate(12, 3, days=4, out=tmp_path / "net")
    monkeypatch.setattr(sample, "SHARDS", 2)
    monkeypatch.setattr(sample.cut, "__defaults__", (2,))
    monkeypatch.setattr(engine, "room", lambda sizes, workers, limit, held: Room(1, 2, 50_000))
    monkeypatch.setattr("allocator.optimise.whole_fits", lambda columns, limit, held: False)
    tables = allocator.read(network)
    plan = allocator.solve(tables, engine="priced", workers=1, memory=2 * GIGA, gap=0.2)
    assert plan.certificate["multipliers"]["shards"] == 6
    assert plan.audit is not None
    assert plan.audit.ok
    from allocator.network import build_network

    monkeypatch.undo()
    monkeypatch.setattr("allocator.priced.proof.SHARDS", 2)
    proof = prove_bound(build_network(tables, None), plan.certificate)
    assert proof.findings == ()
    assert proof.shards == 6


def test_limits_that_can_t_be_kept_end_with_exit_code_2(tmp_path: Path) -> None:
    """By the priced engine, by the whole one, and beside a cluster; nothing is published."""
    network = write_case("vehicles", tmp_path)
    for engine_, says in (("priced", "give it"), ("whole", "take --engine priced")):
        asked = ["plan", str(network), "-o", str(tmp_path / "plan"), "--engine", engine_, "--memory", "64M"]
        result = CliRunner().invoke(cli, asked)
        # reading may already be too much for so little
        assert result.exit_code == 2, result.output
        assert says in result.output or "of memory are free" in result.output
    result = CliRunner().invoke(cli, [*asked, "--engine", "priced", "--cluster", "auto"])
    assert result.exit_code == 2
    assert "leave one of them out" in result.output
    assert not (tmp_path / "plan").exists()
    memory.keep_to(None)


def test_reading_keeps_to_the_limit(tmp_path: Path) -> None:
    """A table that would not fit beside what is held already is refused, as Parquet and as CSV; without the limit it is read."""
    network = write_case("vehicles", tmp_path)
    try:
        memory.keep_to(1)
        with pytest.raises(InputError, match="of memory are free"):
            allocator.read(network)
    finally:
        memory.keep_to(None)
    assert len(allocator.read(network).frame("items"))


@pytest.mark.parametrize(
    ("text", "size"), [("8G", 8 << 30), ("1.5g", 3 << 29), ("512M", 1 << 29), ("1024", 1024), ("2 GiB", 2 << 30)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    """Units of 1024, with or without B."""
    from allocator.cli.plan import Memory

    assert Memory().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["8X", "-1G", "0", "G", ""])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    """Anything else is a usage error."""
    import click

    from allocator.cli.plan import Memory

    with pytest.raises(click.UsageError):
        Memory().convert(text, None, None)


@pytest.mark.long
def test_a_run_stays_under_its_limit(tmp_path: Path) -> None:
    """Driver and workers together, looked at five times a second, on 200 items x 20 stores."""
    network = generate(200, 20, out=tmp_path / "net")
    limit = 800 * MEGA
    command = [
        sys.executable,
        "-m",
        "allocator",
        "plan",
        str(network),
        "-o",
        str(tmp_path / "plan"),
        "--engine",
        "priced",
    ]
    with subprocess.Popen(
        [*command, "--workers", "4", "--memory", "800M"], stdout=subprocess.DEVNULL, env=_environment()
    ) as run:
        most = 0
        while run.poll() is None:
            most = max(most, _resident(run.pid))
            time.sleep(0.2)
    assert run.returncode in (0, 3)
    assert 0 < most < limit, most >> 20


def _environment() -> dict[str, str]:
    from allocator.engine.process import child_environment

    return child_environment()


def _resident(root: int) -> int:
    """Memory of a process and all under it. [bytes]"""
    children = collections.defaultdict(list)
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                children[int((place / "stat").read_text().rpartition(")")[2].split()[1])].append(int(place.name))
            except OSError:
                continue
    found, waiting = 0, [root]
    while waiting:
        one = waiting.pop()
        waiting += children[one]
        try:
            found += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return found
