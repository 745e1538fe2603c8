"""verify --bound: a certificate's prices prove its bound again, and whatever is changed in it is named."""

import copy
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import allocator
from allocator import optimise
from allocator.cli.verify import command
from allocator.network import Network, build_network
from allocator.plan.plan import Plan
from allocator.priced import proof
from allocator.priced.proof import prove_bound
from tests.priced.solo import solo, stay_in_process
from tests.program.networks import write_case

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module", autouse=True)
def one_process() -> Any:
    """Workers of the test's own process."""
    with pytest.MonkeyPatch.context() as patch:
        stay_in_process(patch)
        patch.setattr(proof, "staffed", solo)
        # settled whole, a plan this small would be proven by branch and bound
        patch.setattr(optimise, "POLISH_COLUMNS", 0)
        yield


@pytest.fixture(scope="module")
def plan(one_process: None, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A priced plan with prices on several resources."""
    folder = write_case("capacities", tmp_path_factory.mktemp("proof"))
    found = allocator.solve(allocator.read(folder), engine="priced", workers=1)
    assert found.certificate["engine"] == "priced"
    assert len(found.certificate["multipliers"]["prices"]) >= 3
    return found


@pytest.fixture(scope="module")
def network(plan: Plan) -> Network:
    """Its network, built anew."""
    return build_network(plan.network)


def test_a_certificate_is_proven_again(plan: Plan, network: Network) -> None:
    """All shards priced anew prove what is stated; a sample agrees; every resource is named in words."""
    found = prove_bound(network, plan.certificate)
    assert found.ok, found.findings
    assert found.checked == found.shards == 3
    assert found.proven == pytest.approx(plan.certificate["bound"], rel=1e-6)
    sampled = prove_bound(network, plan.certificate, sample=1, seed=4)
    assert sampled.ok, sampled.findings
    assert sampled.checked == 1
    assert "outbound DC 2026-03-02" in plan.certificate["multipliers"]["names"]


def _bound(paper: dict[str, Any]) -> None:
    paper["bound"] += 0.01 * abs(paper["bound"])
    paper["objective"] = max(paper["objective"], paper["bound"])


def _bound_above_plan(paper: dict[str, Any]) -> None:
    paper["objective"] = paper["bound"] - 1.0


def _price_up(paper: dict[str, Any]) -> None:
    paper["multipliers"]["prices"][1] *= 1.05


def _price_down(paper: dict[str, Any]) -> None:
    paper["multipliers"]["prices"][1] *= 0.95


def _shard(paper: dict[str, Any]) -> None:
    paper["multipliers"]["shard_bounds"][2] += 1.0
    paper["bound"] += 1.0
    paper["objective"] += 1.0


def _price(value: float) -> Change:
    def change(paper: dict[str, Any]) -> None:
        paper["multipliers"]["prices"][0] = value

    return change


def _swapped(paper: dict[str, Any]) -> None:
    resources = paper["multipliers"]["resources"]
    resources[0], resources[1] = resources[1], resources[0]


def _other_resource(paper: dict[str, Any]) -> None:
    paper["multipliers"]["resources"][0] += 1000


def _shorter(paper: dict[str, Any]) -> None:
    paper["multipliers"]["shard_bounds"].pop()


def _no_names(paper: dict[str, Any]) -> None:
    del paper["multipliers"]["names"]


TAMPERED: dict[str, tuple[Change, str]] = {
    "bound": (_bound, "bound: the certificate says"),
    "bound above the plan's cost": (_bound_above_plan, "is above the plan's own cost"),
    "price raised": (_price_up, "bound: the certificate says"),
    "price lowered": (_price_down, "at its prices the items prove"),
    "shard bound": (_shard, "shard 2 (1 items): the certificate says"),
    "negative price": (_price(-1.0), "price of inbound DC 2026-03-04: expected 0 to"),
    "price without end": (_price(math.inf), "price of inbound DC 2026-03-04: expected 0 to"),
    "price that is no number": (_price(math.nan), "price of inbound DC 2026-03-04: expected 0 to"),
    "price above the ceiling": (_price(1e9), "price of inbound DC 2026-03-04: expected 0 to"),
    "resources in another order": (_swapped, "this network has 'outbound DC 2026-03-02' there"),
    "a resource that is not there": (_other_resource, "expected resources from 0 to"),
    "too few shards": (_shorter, "expected bounds of 3 shards of this network, found 2"),
    "no names": (_no_names, "found no names"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_tampered_with_is_named(what: str, plan: Plan, network: Network) -> None:
    """A bound that the prices do not prove is refused, and the finding says where."""
    change, expected = TAMPERED[what]
    paper = copy.deepcopy(dict(plan.certificate))
    change(paper)
    found = prove_bound(network, paper)
    assert not found.ok
    assert any(expected in finding for finding in found.findings), found.findings


def test_the_expected_cost_over_outlooks_is_proven_again(tmp_path: Path) -> None:
    """Over several outlooks the bound of the expected cost is proven, one a little higher is not, and the whole engine carries no prices."""
    tables = allocator.read(write_case("capacities", tmp_path, outlooks=3))
    found = allocator.solve(tables, engine="priced", workers=1)
    network, paper = build_network(found.network), copy.deepcopy(found.certificate)
    proven = prove_bound(network, paper)
    assert proven.ok, proven.findings
    assert proven.proven == pytest.approx(paper["outlooks"]["bound"], rel=1e-6)
    assert "over 3 outlooks" in proven.note
    paper["outlooks"]["bound"] += 0.01 * abs(paper["outlooks"]["bound"])
    assert not prove_bound(network, paper).ok
    whole = allocator.solve(tables, engine="whole")
    assert prove_bound(network, whole.certificate).note == proof.SEVERAL
    assert prove_bound(network, {"bound": 1.0}).note == proof.SEVERAL


def test_prices_prove_nothing_for_another_network(plan: Plan) -> None:
    """Where a unit earns twice as much, plans may cost less: the items prove less than the certificate says."""
    dearer = plan.network.replace(
        prices=plan.network.frame("prices").assign(margin=lambda prices: prices["margin"] * 2)
    )
    found = prove_bound(build_network(dearer), plan.certificate)
    assert any("at its prices the items prove" in finding for finding in found.findings), found


@pytest.mark.parametrize(("kind", "words"), [("whole", "HiGHS's word"), ("rules", "no bound is stated")])
def test_plans_of_other_engines_say_whose_word_their_bound_is(kind: str, words: str, tmp_path: Path) -> None:
    """A whole plan's bound is HiGHS's word, a rules plan has none: nothing is refused, and it is said."""
    other = allocator.solve(allocator.read(write_case("plain", tmp_path)), engine=kind)
    found = prove_bound(build_network(other.network), other.certificate)
    assert found.ok
    assert words in found.note


def test_verify_says_all_of_it(plan: Plan, tmp_path: Path) -> None:
    """Exit code 0 and a line for a good plan; 1 and the shard's name for a tampered one, in JSON too; options go with --bound only."""
    folder = tmp_path / "plan"
    plan.write(folder)
    run = CliRunner().invoke
    good = run(command, [str(folder), "--bound", "--all", "--workers", "1"])
    assert good.exit_code == 0, good.output
    assert "bound good: 3 of 3 shards (3 items)" in good.output
    assert "bound" not in run(command, [str(folder)]).output
    for options in (["--all"], ["--bound", "--all", "--sample", "2"]):
        assert run(command, [str(folder), *options]).exit_code == 2
    path = folder / "certificate.json"
    paper = json.loads(path.read_text())
    _shard(paper)
    path.write_text(json.dumps(paper))
    bad = run(command, [str(folder), "--bound"])
    assert bad.exit_code == 1
    assert "bound broken" in bad.output
    assert "shard 2 (1 items): the certificate says" in bad.output
    document = json.loads(run(command, [str(folder), "--bound", "--json"]).stdout)
    assert document["bound"]["ok"] is False
    assert any("shard 2" in finding for finding in document["bound"]["findings"])
