"""Commands on networks in databases and object stores, and plans handed on to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import allocator
from allocator.cli import cli
from allocator.comparison.cases import gather
from allocator.databases import connect, parse_address
from allocator.delivery import DeliveryError, delivering
from tests.database_networks import put
from tests.program.networks import write_case

SECRET = "geheim-7"


def run(*arguments: str | Path) -> Result:
    """Run the command line here."""
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans on their way to a store lie in a folder of the test."""
    monkeypatch.setenv("ALLOCATOR_CACHE", str(tmp_path / "cache"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a network and plans, in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'net.db'}"
    schema: Callable[[], str] = request.getfixturevalue("postgres_schema")
    return schema()


def _bytes(folder: Path) -> dict[str, bytes]:
    """Every file of a plan folder that its input and options decide: tables, and the network as understood."""
    paths = [path for path in folder.rglob("*") if path.suffix == ".parquet" or path.name == "network.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network folder."""
    return write_case("vehicles", tmp_path_factory.mktemp("vehicles") / "net")


@pytest.fixture(scope="module")
def planned(network: Path) -> Path:
    """The plan folder of that network."""
    folder = network.parent / "plan"
    result = run("plan", network, "-o", folder, "--engine", "rules")
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture
def _made(planned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command take the plan that was made already."""

    def made(tables: Any, folder: Path, *_: Any, **__: Any) -> Any:
        shutil.copytree(planned, folder)
        return allocator.read_plan(folder)

    monkeypatch.setattr("allocator.cli.plan._run", made)


def test_plan_from_a_database_is_the_plan_from_the_folder(
    tmp_path: Path, url: str, network: Path, planned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From folder to database to plan: every table equal byte for byte; the plan written back to the database; no password anywhere."""
    put(network, url)
    monkeypatch.setenv("NET", url.replace("planner@", f"planner:{SECRET}@"))
    metrics, folder = tmp_path / "m.prom", tmp_path / "plan"
    options = ["--engine", "rules", "--log", "json", "--metrics", metrics]
    result = run("plan", "env:NET", "-o", folder, "--to", "env:NET", *options)
    assert result.exit_code == 0, result.stderr
    assert _bytes(planned) == _bytes(folder)
    told = [json.loads(line) for line in result.stderr.splitlines()]
    published = next(event for event in told if event["event"] == "published")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (published["plan_id"], published["known"]) == (manifest["plan_id"], False)
    again = run("publish", planned, "--to", url)
    assert (again.exit_code, "nothing was added" in again.stdout) == (0, True)
    shipments = allocator.read_plan(planned).shipments
    with connect(parse_address(url)) as session:
        found = session.table(
            "SELECT s.quantity, p.certificate || p.manifest AS text FROM allocator_plan_shipments s "
            "JOIN allocator_current c ON c.plan_id = s.plan_id JOIN allocator_published p ON p.plan_id = s.plan_id ORDER BY row_number"
        )
    assert found["quantity"].to_pylist() == shipments["quantity"].tolist()
    written = [path.read_bytes() for path in [*folder.rglob("*"), metrics] if path.is_file()]
    said = result.stderr + result.stdout + again.stdout + found["text"][0].as_py()
    assert not any(SECRET.encode() in text for text in [*written, said.encode()])


def test_every_command_that_takes_a_network(tmp_path: Path, network: Path) -> None:
    """check, export and compare read a network from its address."""
    url = f"sqlite:///{tmp_path / 'net.db'}"
    put(network, url)
    wanted = json.loads(run("check", network, "--json").stdout)
    assert json.loads(run("check", url, "--json").stdout) == wanted
    assert json.loads(run("check", network.as_uri(), "--json").stdout) == wanted
    for name, place in (("a.mps", network), ("b.mps", url)):
        assert run("export", place, "-o", tmp_path / name).exit_code == 0
    assert (tmp_path / "a.mps").read_bytes() == (tmp_path / "b.mps").read_bytes()
    cases = gather([str(network), url])
    assert [case.label for case in cases] == [network.name, "net.db"]
    assert len({case.tables.input_hash for case in cases if case.tables is not None}) == 1


@pytest.mark.usefixtures("_made")
def test_a_plan_for_an_object_store(tmp_path: Path, network: Path) -> None:
    """-o with an address leaves the plan there, under its manifest, and nothing on the way."""
    target = tmp_path / "store" / "night"
    result = run("plan", network.as_uri(), "-o", target.as_uri(), "--engine", "rules")
    assert result.exit_code == 0, result.stderr
    assert f"{target.as_uri()}/report.html" in result.stdout
    pointer = json.loads((target / "manifest.json").read_text("utf-8"))
    assert allocator.read_plan(target / pointer["folder"]).verify().ok
    assert list((tmp_path / "cache" / "outgoing").iterdir()) == []


def test_a_target_that_can_not_be_reached_is_told_first(tmp_path: Path, network: Path) -> None:
    """Nothing is planned for a target that is not there; exit code 2."""
    result = run("plan", network, "-o", tmp_path / "plan", "--to", f"sqlite:///{tmp_path}/none/plans.db")
    assert result.exit_code == 2
    assert "its folder does not exist; make it first; nothing was planned" in result.stderr
    assert not (tmp_path / "plan").exists()


@pytest.mark.usefixtures("_made")
def test_a_target_that_fails_later_leaves_the_plan_folder(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target that fails when the plan is made: exit code 1, one line with the command that mends it, the folder stays."""

    def refused(*_: Any) -> Any:
        raise DeliveryError("postgresql://host/db: server closed the connection")

    monkeypatch.setattr("allocator.delivery.deliver", refused)
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    metrics = tmp_path / "m.prom"
    result = run("plan", network, "-o", tmp_path / "plan", "--engine", "rules", "--to", url, "--metrics", metrics)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert f"allocator publish {tmp_path / 'plan'} --to '{url}'" in result.stderr
    assert "allocator_run_exit_code" in metrics.read_text("utf-8")
    monkeypatch.setattr("allocator.delivery.deliver", delivering.deliver)
    assert run("publish", tmp_path / "plan", "--to", url).exit_code == 0


def test_publish_refuses_what_is_no_plan(tmp_path: Path) -> None:
    """A folder without a manifest is told in one line."""
    result = run("publish", tmp_path, "--to", f"sqlite:///{tmp_path / 'plans.db'}")
    assert result.exit_code == 1
    assert "is not a plan folder (no manifest.json)" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", f"postgresql://me:{SECRET}@host/db"),
        ("plan", f"postgresql://me:{SECRET}@host/db", "-o", "plan"),
        ("plan", "net", "-o", f"s3://key:{SECRET}@bucket/plans"),
        ("plan", "net", "-o", "plan", "--to", f"postgresql://host/db?password={SECRET}"),
        ("publish", "plan", "--to", f"s3://key:{SECRET}@bucket/plans"),
        ("compare", "net", f"s3://key:{SECRET}@bucket/net", "-o", "out"),
        ("export", f"abfs://:{SECRET}@account/net", "-o", "m.mps"),
    ],
)
def test_secrets_on_the_command_line_are_refused(arguments: tuple[str, ...]) -> None:
    """An address that holds a secret is refused by every command, exit code 2, without repeating it."""
    result = run(*arguments, *(["--log", "json"] if arguments[0] in ("plan", "compare") else []))
    assert result.exit_code == 2
    assert "environment variable" in result.stderr
    assert SECRET not in result.stderr + result.stdout


def test_python_writes_where_the_command_does(tmp_path: Path, planned: Path) -> None:
    """plan.to_database and plan.write take the addresses that the commands take."""
    url, target, plan = f"sqlite:///{tmp_path / 'plans.db'}", tmp_path / "store", allocator.read_plan(planned)
    assert not plan.to_database(url).known
    assert run("publish", planned, "--to", url).stdout.endswith("nothing was added; it is the current one\n")
    assert plan.write(target.as_uri()) == target.as_uri()
    assert json.loads((target / "manifest.json").read_text("utf-8"))["plan_id"] == plan.manifest["plan_id"]
