"""Plans side by side, on a network small enough to solve at once."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

import allocator
from allocator.cli import cli
from allocator.comparison import Comparison
from allocator.comparison.comparison import PLANS
from allocator.comparison.sides import TABLES, paired
from allocator.tables import InputError
from tests.program.networks import BASE

PROMO = 'base = "small"\n[[change]]\ntable = "forecasts"\nwhere = { item = "milk" }\nscale = { mean = 2.0 }\n'
DOCK = 'base = "small"\n[[change]]\ntable = "sites"\nwhere = { site = "DC" }\nset = { outbound_volume = 0.05 }\n'
SAME = 'base = "small"\n[[change]]\ntable = "forecasts"\nscale = { mean = 1.0 }\n'


def write_small(parent: Path) -> Path:
    """A network folder with scenarios beside it."""
    folder = parent / "small"
    folder.mkdir()
    for name, text in BASE.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in (("promo", PROMO), ("<script>dock", DOCK), ("same", SAME)):
        (parent / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network and its scenarios."""
    return write_small(tmp_path_factory.mktemp("compare"))


@pytest.fixture(scope="module")
def first(network: Path) -> tuple[Comparison, list[tuple[str, dict[str, object]]], Path]:
    """The first comparison: made, what was told meanwhile, and where it lies."""
    told: list[tuple[str, dict[str, object]]] = []
    out = network.parent / "out"
    scenario = ["promo", "<script>dock", "same"]
    made = allocator.compare([network], out, scenario=scenario, tell=lambda event, facts: told.append((event, facts)))
    return made, told, out


First = tuple[Comparison, list[tuple[str, dict[str, object]]], Path]


def test_cases_are_run_once_each(first: First) -> None:
    """Each different input is solved once, in a process of its own; a scenario that changes nothing shares the base's."""
    made, told, out = first
    assert made.cases["case"].tolist() == ["small", "promo", "<script>dock", "same"]
    assert sorted(str(facts["case"]) for event, facts in told if event == "run") == ["<script>dock", "promo", "small"]
    assert sum(path.is_dir() for path in (out / PLANS).iterdir()) == 3
    assert made.cases["difference"].iloc[3] == 0
    assert made.exit_code == 0


def test_figures_are_those_of_the_plans(first: First, network: Path) -> None:
    """Values, KPIs and components agree with plans solved alone; components add up to the difference in value."""
    made, _, _ = first
    base, promo = (allocator.solve(allocator.read(network, scenario=name)) for name in ("", "promo"))
    assert made.cases["value"].iloc[:2].tolist() == pytest.approx(
        [base.certificate["value"], promo.certificate["value"]]
    )
    falls = made.waterfall.groupby("case", observed=True)["contribution"].sum()
    assert falls["promo"] == pytest.approx(made.cases["difference"].iloc[1])
    mine = made.kpis[(made.kpis["case"] == "promo") & (made.kpis["scope"] == "network")].set_index("kpi")
    theirs = promo.kpis[promo.kpis["scope"] == "network"].set_index("kpi")["value"]
    assert mine["value"].to_dict() == pytest.approx(theirs.to_dict(), nan_ok=True)
    lost = mine.loc["units_lost"]
    assert lost["difference"] > 0
    assert lost["direction"] == "bad"


def test_movers_limits_and_allocations(first: First) -> None:
    """The promotion moves milk and no more, the dock's limit becomes tight, and the same input changes nothing."""
    made, _, _ = first
    moved = made.movers[
        (made.movers["case"] == "promo") & (made.movers["by"] == "item") & (made.movers["measure"] == "lost")
    ]
    assert moved["code"].tolist() == ["milk"]
    assert (made.movers["difference"] == made.movers["quantity"] - made.movers["base"]).all()
    tight = made.limits[(made.limits["case"] == "<script>dock") & (made.limits["change"] == "became tight")]
    assert set(tight["resource"]) == {"outbound"}
    assert (tight["base"] == 0).all()
    assert (tight["price"] > 0).all()
    assert "same" not in set(made.allocations["case"])
    assert made.allocations["difference"].abs().min() > 1e-6


def test_second_run_solves_nothing(first: First, network: Path) -> None:
    """With the same input and options every plan is reused as it lies, and the tables are the same to the byte."""
    _, _, out = first
    before = {path: path.stat().st_mtime_ns for path in out.glob(f"{PLANS}/*/manifest.json")}
    tables = {name: (out / f"{name}.parquet").read_bytes() for name in TABLES}
    told: list[str] = []
    allocator.compare(
        [network], out, scenario=["promo", "<script>dock", "same"], tell=lambda event, facts: told.append(event)
    )
    assert set(told) == {"reuse"}
    assert {path: path.stat().st_mtime_ns for path in out.glob(f"{PLANS}/*/manifest.json")} == before
    assert {name: (out / f"{name}.parquet").read_bytes() for name in TABLES} == tables


def test_other_options_or_a_damaged_plan_run_again(
    first: First, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stale is reused: other options, other code or a plan whose files are not its manifest's."""
    from allocator.comparison import comparing
    from allocator.comparison.cases import code_hash, key_of
    from allocator.comparison.running import whole
    from allocator.run import Options

    _, _, out = first
    tables = allocator.read(network)
    key = key_of(tables, Options(workers=1))
    assert (out / PLANS / key).is_dir()
    assert (
        len(
            {
                key,
                key_of(tables, Options(workers=1, gap=0.1)),
                key_of(allocator.read(network, scenario="promo"), Options(workers=1)),
            }
        )
        == 3
    )
    monkeypatch.setattr("allocator.comparison.cases.code_hash", lambda: "other")
    assert key_of(tables, Options(workers=1)) != key
    monkeypatch.undo()
    assert len(code_hash()) == 64
    assert whole(out / PLANS / key)
    victim = out / PLANS / key / "shipments.parquet"
    content = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(content + b"x")
    assert not whole(out / PLANS / key)
    ran: list[str] = []
    monkeypatch.setattr(comparing, "run_jobs", lambda jobs, *rest: ran.extend(job.label for job in jobs))
    with pytest.raises(FileNotFoundError):
        allocator.compare([network], out, scenario="promo")
    assert ran == ["small"]
    monkeypatch.undo()
    assert allocator.compare([network], out, scenario="promo").exit_code == 0
    assert whole(out / PLANS / key)


def test_cases_start_from_the_base(first: First, network: Path, tmp_path: Path) -> None:
    """All but the base start from its run, which is told in their manifests; ``cold`` keeps them apart, and the answer is the same."""
    made, _, out = first
    assert _started(out) == [False, True, True]
    cold = allocator.compare([network], tmp_path / "cold", scenario=["promo", "<script>dock", "same"], cold=True)
    assert _started(tmp_path / "cold") == [False, False, False]
    assert not list((tmp_path / "cold" / PLANS).glob("*.npz"))
    assert cold.cases["value"].tolist() == pytest.approx(made.cases["value"].tolist(), rel=1e-6)
    assert _keys(tmp_path / "cold") & _keys(out) == {_base_key(made)}


def test_base_runs_again_when_what_it_left_is_gone(network: Path, tmp_path: Path) -> None:
    """Without the base's start a new case would be solved cold under the name of a warm one, so the base is run again."""
    allocator.compare([network], tmp_path / "out", scenario="promo")
    next((tmp_path / "out" / PLANS).glob("*.npz")).write_bytes(b"PK")
    told: list[tuple[str, str]] = []
    allocator.compare(
        [network],
        tmp_path / "out",
        scenario="promo",
        tell=lambda event, facts: told.append((event, str(facts["case"]))),
    )
    assert ("run", "small") in told
    assert ("reuse", "promo") in told


def _manifests(out: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (out / PLANS).glob("*/manifest.json")]


def _started(out: Path) -> list[bool]:
    return sorted(bool(manifest["solver"].get("started")) for manifest in _manifests(out))


def _keys(out: Path) -> set[str]:
    return {path.name for path in (out / PLANS).iterdir() if path.is_dir()}


def _base_key(made: Comparison) -> str:
    return Path(made.manifest["cases"][0]["plan"]).name


class _Page(HTMLParser):
    """What a page holds: its elements, addresses and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]


def test_page_is_whole_and_safe(first: First) -> None:
    """One file with charts and tables; a scenario called <script> is shown, not run, and no address leads outside."""
    made = first[0]
    text = made.page()
    page = _Page()
    page.feed(text)
    assert page.tags.count("script") == 1
    assert page.tags.count("svg") >= len(made.cases) + made.waterfall["case"].nunique()
    assert "&lt;script&gt;dock" in text
    assert all(address.startswith("#") for address in page.addresses)
    assert "default-src &#39;none&#39;" in text
    assert "http" not in text.replace("http-equiv", "")
    assert len(text) < 1_000_000


def test_notebook_card_escapes(first: First) -> None:
    """The card of a notebook shows every case and no markup from names."""
    card = first[0]._repr_html_()
    assert "<script>" not in card
    assert "&lt;script&gt;dock" in card
    assert "Fill rate" in card


def test_plans_are_compared_without_solving(first: First, network: Path) -> None:
    """Plan folders and Plan objects are taken as they are, and nothing is kept without an output folder."""
    plan = allocator.solve(allocator.read(network), engine="rules")
    plan.write(network.parent / "rules-plan")
    told: list[str] = []
    made = allocator.compare(
        [network.parent / "rules-plan", allocator.read_plan(network.parent / "rules-plan"), plan],
        tell=lambda event, facts: told.append(event),
    )
    assert told == []
    assert made.cases["case"].tolist() == ["rules-plan", "small", "small (2)"]
    assert isinstance(made.limits, pd.DataFrame)
    assert made.limits.empty
    assert "every component" in made.text()


WRONG = {
    "one case": (["small"], [], "nothing to compare"),
    "no folder": (["small", "away"], [], "is not a folder"),
    "unknown scenario": (["small"], ["prom"], "did you mean promo?"),
    "scenarios on two": (["small", "small"], ["promo"], "needs exactly one network"),
}


@pytest.mark.parametrize("case", WRONG)
def test_bad_cases_are_refused_before_any_run(case: str, network: Path, tmp_path: Path) -> None:
    """What can't be compared is told with its mend, and nothing is run."""
    names, scenario, words = WRONG[case]
    with pytest.raises(InputError) as caught:
        allocator.compare([network.parent / name for name in names], tmp_path / "out", scenario=scenario)
    assert words in str(caught.value)
    assert not (tmp_path / "out" / PLANS).exists()


def _cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(list(arguments), standalone_mode=False)
    shown = capsys.readouterr()
    return int(code or 0), shown.out, shown.err


def test_command_shows_the_winner_and_the_bar(first: First, network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command reuses the plans, names the winner, tells JSON from text, and ends with 5 below a bar."""
    _, _, out = first
    common = ("compare", str(network), "--scenario", "promo", "-o", str(out))
    code, shown, logged = _cli(capsys, *common, "--log", "json", "--bar", "fill_rate>=0.99")
    events = [json.loads(line)["event"] for line in logged.splitlines() if line.startswith("{")]
    assert (code, events) == (5, ["start", "reuse", "reuse", "finish"])
    assert "small is worth most" in shown
    assert "below the bar: promo: fill_rate" in logged
    code, shown, _ = _cli(capsys, *common, "--json")
    document = json.loads(shown)
    assert (code, document["best"], len(document["cases"])) == (0, "small", 2)


def test_other_folders_are_left_alone(network: Path, tmp_path: Path) -> None:
    """A folder that is no comparison is never replaced."""
    from allocator.plan.publish import NotAPlanError

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(NotAPlanError):
        allocator.compare([network], tmp_path / "mine", scenario="promo")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_failed_run_is_told_and_the_rest_is_kept(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When one process dies its case is named; plans of the others stay and are reused."""
    from allocator.comparison import running

    kept = running.pack

    def damaged(tables: allocator.tables.Tables, folder: Path) -> None:
        kept(tables, folder)
        if tables.scenario:
            (folder / "network" / "network.json").write_text("{")

    monkeypatch.setattr(running, "pack", damaged)
    with pytest.raises(running.RunFailedError, match=r"^promo: InputError"):
        allocator.compare([network], tmp_path / "out", scenario="promo", engine="rules")
    monkeypatch.undo()
    told: list[tuple[str, str]] = []
    allocator.compare(
        [network],
        tmp_path / "out",
        scenario="promo",
        engine="rules",
        tell=lambda event, facts: told.append((event, str(facts["case"]))),
    )
    assert ("reuse", "small") in told
    assert ("run", "promo") in told


def test_a_share_of_memory_that_can_t_be_kept_is_bad_input(network: Path, tmp_path: Path) -> None:
    """Exit code 2, as of `allocator plan`, and what each run would need."""
    asked = ["compare", str(network), "--scenario", "promo", "-o", str(tmp_path / "out"), "--memory", "64M"]
    result = CliRunner().invoke(cli, asked)
    assert result.exit_code == 2, result.output
    assert "small: MemoryLimitError: a limit of 32 MB can't be kept" in result.output
    assert "fewer --workers" in result.output


class _Hedged:
    """As much of a hedged plan as a paired interval needs."""

    def __init__(self, objectives: list[float], seed: int = 1) -> None:
        outlooks = {"count": len(objectives), "seed": seed, "common_factor": 0.0, "objectives": objectives}
        self.certificate = {"outlooks": outlooks}


def test_same_draws_give_a_paired_interval() -> None:
    """Luck that both plans share cancels: the interval is that of the differences; other draws are not paired."""
    base = _Hedged([-10.0, -200.0, -30.0])
    other = _Hedged([-11.0, -202.0, -33.0])
    found = paired(base, other)
    assert found["outlooks_mean"] == pytest.approx(2.0)
    assert found["outlooks_low"] == pytest.approx(2.0 - 4.302652729911275 / 3**0.5)
    assert found["outlooks_high"] == pytest.approx(2.0 + 4.302652729911275 / 3**0.5)
    assert pd.isna(paired(base, _Hedged([-11.0, -202.0, -33.0], seed=2))["outlooks_mean"])
