"""What an unattended run is watched by: events, metrics, the doctor, and the examples of docs/operations."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from allocator.cli import COMMANDS, cli, doctor
from allocator.engine.problem import SolverError
from allocator.engine.process import Solver
from tests.program.networks import write_case

EXAMPLES = Path(__file__).parents[2] / "docs" / "operations"
SAMPLE = re.compile(r'allocator_[a-z_]+\{network="[^"]*"(,[a-z]+="[^"\\]*")*\} -?[0-9.e+-]+')


def run(*arguments: str | Path) -> Result:
    """Run the command line here."""
    return separate().invoke(cli, [str(argument) for argument in arguments])


def separate() -> CliRunner:
    """A runner that keeps stderr apart: click up to 8.1 must be told to."""
    told = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
    return CliRunner(**told)


def events(result: Result) -> list[dict[str, object]]:
    """The JSON events on stderr."""
    return [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]


def test_a_run_is_told_in_events_and_metrics(tmp_path: Path) -> None:
    """Start, tables, stages, exceptions and finish carry the run's id; the metrics are OpenMetrics text and agree with the plan."""
    network, metrics = write_case("vehicles", tmp_path), tmp_path / "m.prom"
    result = run("plan", network, "-o", tmp_path / "plan", "--log", "json", "--metrics", metrics)
    assert result.exit_code == 0, result.stderr
    told = events(result)
    assert len({event["run"] for event in told}) == 1
    names = [event["event"] for event in told]
    assert names[0] == "start"
    assert names[-1] == "finish"
    assert {"stage", "table", "exception"} <= set(names)
    assert {e["table"]: e["rows"] for e in told if e["event"] == "table"}["sites"] == 3
    assert names.count("exception") == told[-1]["exceptions"]
    certificate = json.loads((tmp_path / "plan" / "certificate.json").read_text("utf-8"))
    assert (told[-1]["exit_code"], told[-1]["value"]) == (0, certificate["value"])
    *lines, end = metrics.read_text("utf-8").splitlines()
    assert end == "# EOF"
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.fullmatch(line)] == []
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(figures[f'allocator_plan_value{{network="{network}"}}']) == pytest.approx(certificate["value"])
    assert figures[f'allocator_run_exit_code{{network="{network}"}}'] == "0"


def test_a_failed_run_is_told_too(tmp_path: Path) -> None:
    """Bad input ends in an event and in metrics with exit code 2; the figures of an older plan are gone."""
    metrics = tmp_path / "m.prom"
    result = run("plan", tmp_path / "none", "-o", tmp_path / "plan", "--log", "json", "--metrics", metrics)
    assert result.exit_code == 2
    assert events(result)[-1]["exit_code"] == 2
    assert f'allocator_run_exit_code{{network="{tmp_path / "none"}"}} 2\n' in metrics.read_text("utf-8")
    assert "plan_value" not in metrics.read_text("utf-8")


def test_metrics_that_cannot_be_written_do_not_cost_the_plan(tmp_path: Path) -> None:
    """The plan is published with its own exit code, and one line says what became of the metrics."""
    result = run(
        "plan", write_case("plain", tmp_path), "-o", tmp_path / "plan", "--engine", "rules", "--metrics", "/dev/null/m"
    )
    assert result.exit_code == 0
    assert "the plan is published, its metrics are not" in result.stderr
    assert (tmp_path / "plan" / "manifest.json").is_file()


def test_the_doctor_finds_this_installation_good(tmp_path: Path) -> None:
    """Every check is good here, and nothing is left in the folder."""
    result = run("doctor", "--output", tmp_path, "--json")
    document = json.loads(result.stdout)
    assert document["ok"], document
    assert {"solver", "memory", "output", "cache", "highspy"} <= {check["check"] for check in document["checks"]}
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_says_what_is_bad(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that is too old, a solver that fails and a place that takes no plan are each one line, exit code 1."""
    monkeypatch.setitem(doctor.NEEDED, "numpy", ((99,), (100,)))

    def fails(*arguments: object) -> None:
        raise SolverError("the installed HiGHS fails its self-test")

    monkeypatch.setattr(Solver, "solve", fails)
    result = run("doctor", "--output", "/dev/null/plans")
    assert result.exit_code == 1
    bad = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("bad")]
    assert bad == ["numpy", "solver", "output"]


def _told(text: str) -> Iterator[list[str]]:
    """Command lines of the program in an example, however they are wrapped."""
    for line in re.findall(r"(?:^|[ /=])allocator ((?:{}) [^|&>\n]*)".format("|".join(COMMANDS)), text):
        yield shlex.split(line.partition(" 2>")[0])
    for line in re.findall(r'\[("allocator", [^\]]*)\]', text):
        yield [part.strip().strip('"') for part in line.split(",")][1:]


@pytest.mark.parametrize("path", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_examples_use_commands_and_options_that_there_are(path: Path) -> None:
    """Every command line in an example parses, by the options the command has."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        ast.parse(text)
    lines = list(_told(text))
    assert lines or path.suffix == ".timer"
    for name, *arguments in lines:
        command = import_module(f"allocator.cli.{name}").command
        options = {option for parameter in command.params for option in parameter.opts}
        assert {part for part in arguments if part.startswith("-")} <= options, path.name
