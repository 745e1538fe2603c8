"""The priced engine on a Ray cluster of two nodes: the local plan again, whatever dies on the way, and clear words where it can't be."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from allocator.cli import cli
from allocator.generate import generate
from allocator.priced import cluster
from benchmarks.nodes import Nodes

ray_here = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: make test-ray installs it"
)
# never settled whole afterwards: half of its limits tight, that takes the whole engine longer than all of these tests
PLAN = (
    "import allocator.optimise as o, allocator.priced.cluster as c; "
    "o.POLISH_COLUMNS = 0; c.PATIENCE = {patience}; from allocator.cli import main; main()"
)
Event = dict[str, Any]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up network that takes a few rounds."""
    folder = tmp_path_factory.mktemp("network")
    generate(60, 8, tight=0.5, out=folder)
    return folder


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """Two nodes of one CPU each."""
    with Nodes(2) as found:
        yield found


class Planning:
    """``allocator plan`` in a process of its own, its events as they come."""

    def __init__(
        self, network: Path, output: Path, *options: str, env: dict[str, str] | None = None, patience: int = 60
    ) -> None:
        self.output = output
        self.said = output.with_name(f"{output.name}.json").open("w+")
        self.process = subprocess.Popen(
            [
                sys.executable, "-c", PLAN.format(patience=patience), "plan", str(network), "-o", str(output),
                "--engine", "priced", "--workers", "2", "--json", "--log", "json", *options,
            ],
            env=env, stdout=self.said, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.events: list[Event] = []

    def follow(self, at: Callable[[Event], bool] = lambda event: False) -> Event | None:
        """Read events up to one."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith("{"):
                self.events.append(json.loads(line))
                if at(self.events[-1]):
                    return self.events[-1]
        return None

    def end(self) -> dict[str, Any]:
        """Wait for the plan; the document on standard output."""
        self.follow()
        assert self.process.wait() in (0, 3)
        self.said.seek(0)
        document: dict[str, Any] = json.load(self.said)
        return document

    def __enter__(self) -> Planning:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.said.close()

    @property
    def rounds(self) -> int:
        return sum(event["event"] == "round" for event in self.events)

    @property
    def lost(self) -> int:
        return int(json.loads((self.output / "manifest.json").read_text())["solver"]["lost_workers"])


def _pricing(event: Event) -> bool:
    return event.get("stage") == "prices"


def _round(event: Event) -> bool:
    return event["event"] == "round"


def _tables(plan: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(plan.glob("*.parquet"))}


@pytest.fixture(scope="module")
def local(network: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Planning, dict[str, Any]]:
    """The plan of two processes of this machine."""
    with Planning(network, tmp_path_factory.mktemp("local") / "plan") as planning:
        return planning, planning.end()


Local = tuple[Planning, dict[str, Any]]


def _alike(found: dict[str, Any], local: dict[str, Any]) -> None:
    """The same bound, and a plan that lies no more than half of the local one's gap away from that.

    Replacements begin without the bases of those they replace, so they end in another of many plans that the bound can't tell apart.
    """
    assert found["bound"] == pytest.approx(local["bound"], rel=1e-3)
    assert found["objective"] == pytest.approx(local["objective"], rel=local["gap"] / 2)


@ray_here
@pytest.mark.long
def test_actors_plan_what_processes_plan(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """Two actors on two nodes give the bytes of two local processes in every table, and standard output is one document."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env) as planning:
        document = planning.end()
        assert _tables(tmp_path / "plan") == _tables(local[0].output)
        assert {k: v for k, v in document.items() if k != "plan"} == {k: v for k, v in local[1].items() if k != "plan"}
        assert not _left(nodes)


@ray_here
@pytest.mark.long
def test_a_killed_actor_costs_its_shard(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """An actor that is killed in mid-round is replaced, its shard is asked again, the plan is as good, and standard output stays clean."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env) as planning:
        planning.follow(_pricing)
        time.sleep(0.5)
        os.kill(nodes.actors()[0], signal.SIGKILL)
        document = planning.end()
        assert planning.lost == 1
        _alike(document, local[1])


@ray_here
@pytest.mark.long
def test_a_killed_actor_later_on(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """The same after the first round, when what the lost actor knew has to be priced again."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env) as planning:
        planning.follow(_round)
        os.kill(nodes.actors()[1], signal.SIGKILL)
        _alike(planning.end(), local[1])
        assert planning.lost == 1


@ray_here
@pytest.mark.long
def test_a_lost_node_costs_its_shards(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """A node that goes takes its actor along; without a free CPU anywhere the new one shares one, and the run ends well."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env, patience=15) as planning:
        planning.follow(_pricing)
        time.sleep(0.5)
        nodes.lose(1)
        _alike(planning.end(), local[1])
        assert planning.lost >= 1


@ray_here
@pytest.mark.long
def test_a_killed_raylet_costs_its_shards(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """The same when only the raylet is killed and another node comes in its place."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env) as planning:
        planning.follow(_pricing)
        os.kill(nodes.raylet(1), signal.SIGKILL)
        nodes.add()
        _alike(planning.end(), local[1])
        assert planning.lost >= 1


@ray_here
@pytest.mark.long
def test_a_killed_driver_goes_on(nodes: Nodes, network: Path, local: Local, tmp_path: Path) -> None:
    """A driver killed after its first round leaves no actors behind, and its successor asks for fewer rounds."""
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, env=nodes.env) as first:
        first.follow(_round)
    until = time.monotonic() + 60
    while _left(nodes) and time.monotonic() < until:
        time.sleep(0.5)
    assert not _left(nodes)
    with Planning(network, tmp_path / "plan", "--cluster", nodes.address, "--resume", env=nodes.env) as second:
        _alike(second.end(), local[1])
        assert second.rounds < local[0].rounds


@ray_here
@pytest.mark.long
def test_what_a_cluster_lacks_is_said(nodes: Nodes, network: Path, tmp_path: Path) -> None:
    """Too few CPUs, a folder that is not shared, another version and another token end with one line each, and nothing published."""
    few = _refused(nodes, network, tmp_path, "", "--workers", "3")
    assert "3 actors need a CPU each" in few
    assert "--workers" in few
    unseen = _refused(nodes, network, tmp_path, "c.Path.resolve = lambda path: c.Path('/nowhere')")
    assert "does not see /nowhere" in unseen
    assert "--shared" in unseen
    older = _refused(nodes, network, tmp_path, "c.versions = lambda: {'highspy': '1.0.0'}")
    assert "has highspy" in older
    assert "this one 1.0.0" in older
    stranger = _refused(nodes, network, tmp_path, "import os; os.environ['RAY_AUTH_TOKEN'] = 'x' * 48")
    assert "RAY_AUTH_TOKEN" in stranger


def _refused(nodes: Nodes, network: Path, tmp_path: Path, before: str, *options: str) -> str:
    """What a run that is refused says."""
    code = f"{PLAN.format(patience=10).replace('from allocator.cli', before + chr(10) + 'from allocator.cli')}"
    ended = subprocess.run(
        [
            sys.executable, "-c", code, "plan", str(network), "-o", str(tmp_path / "no"),
            "--engine", "priced", "--workers", "2", "--cluster", nodes.address, *options,
        ],
        env=nodes.env, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 2, ended.stderr
    assert ended.stdout == ""
    assert not (tmp_path / "no").exists()
    return ended.stderr.strip().splitlines()[-1]


def _left(nodes: Nodes) -> list[int]:
    return nodes.actors()


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Ray: the extra to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(cluster.ClusterError, match=r"pip install 'inventory-allocator\[ray\]'"):
        cluster.reach("auto")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster answers"),
        ("local", "is not the address"),
        ("", "is not the address"),
        ("host", "is not"),
    ],
)
def test_no_cluster_is_said_at_once(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nothing answers, or that is none, is refused before anything is read; none is ever started."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(cluster.ClusterError, match=said):
        cluster.reach(address)


def test_a_cluster_is_for_the_priced_engine(tmp_path: Path) -> None:
    """Asking for a cluster and an engine that doesn't use one is refused."""
    ended = CliRunner().invoke(cli, ["plan", "x", "-o", str(tmp_path), "--engine", "whole", "--cluster", "auto"])
    assert ended.exit_code == 2
    assert "priced engine" in ended.output
