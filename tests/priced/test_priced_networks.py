"""Small networks planned from prices: bounds that hold, plans that the audit passes, values near the whole optimum."""

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allocator
from allocator.generate import generate
from allocator.network import build_network
from allocator.plan.plan import Plan
from allocator.priced.proof import prove_bound
from tests.end_to_end.random_networks import random_case
from tests.priced.solo import stay_in_process
from tests.program.networks import CASES, write_case

SEEDS = (*range(24), 161, 162, 234, 280)
"""The last four go round rings of same-day lanes."""


@pytest.fixture(scope="module", autouse=True)
def one_process() -> Any:
    """Workers of the test's own process."""
    with pytest.MonkeyPatch.context() as patch:
        stay_in_process(patch)
        yield


def _both(folder: Path) -> tuple[Plan, Plan]:
    tables = allocator.read(folder)
    return allocator.solve(tables, engine="whole", gap=1e-6), allocator.solve(tables, engine="priced", workers=1)


def _check(folder: Path) -> tuple[Plan, Plan, float]:
    """The bound is not above the optimum, the plan is not below it, the audit finds nothing; how far the plan is off."""
    whole, priced = _both(folder)
    best, scale = whole.certificate["objective"], max(1.0, abs(whole.certificate["objective"]))
    paper = priced.certificate
    assert priced.audit is not None
    assert priced.audit.ok, priced.audit.findings
    assert paper["status"] != "degraded", priced.manifest["notes"]
    assert paper["bound"] <= best + 2e-6 * scale
    assert paper["objective"] >= best - 2e-6 * scale
    assert paper["objective"] <= paper["rules_objective"] + 1e-6 * scale
    return whole, priced, (paper["objective"] - best) / scale


@pytest.mark.parametrize("case", CASES)
def test_every_feature_is_planned_from_prices(case: str, tmp_path: Path) -> None:
    """Each law's small network: a valid bound, a clean audit, and a value within half a percent."""
    _, _, off = _check(write_case(case, tmp_path))
    assert off <= 0.005


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks_are_planned_from_prices(seed: int, tmp_path: Path) -> None:
    """Networks that mix every feature: a valid bound, a clean audit, and a value within half a percent."""
    _, _, off = _check(random_case(seed).write(tmp_path))
    assert off <= 0.005


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_random_networks_are_planned_from_prices(seed: int, tmp_path: Path) -> None:
    """The same of two hundred networks."""
    _check(random_case(seed).write(tmp_path))


def test_a_made_up_network_is_within_half_a_percent(tmp_path: Path) -> None:
    """A dozen items with tight capacities: within half a percent of the whole optimum, and as proven."""
    generate(items=12, stores=5, days=5, channels=2, dcs=1, seed=2, tight=0.2, out=tmp_path)
    _, priced, off = _check(tmp_path)
    assert off <= 0.005
    found = prove_bound(build_network(priced.network), priced.certificate)
    assert found.ok, found.findings


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two runs with the same input and options write the same bytes into every table, and state the same bound."""
    generate(items=6, stores=4, days=4, channels=2, dcs=1, seed=4, tight=0.3, out=tmp_path / "network")
    digests = []
    for number in range(2):
        plan = allocator.solve(allocator.read(tmp_path / "network"), engine="priced", workers=2)
        plan.write(tmp_path / str(number))
        files = sorted((tmp_path / str(number)).glob("*.parquet"))
        digests.append({path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
        digests[-1]["bound"] = str(plan.certificate["bound"])
    assert digests[0] == digests[1]
    assert len(digests[0]) > 8


def test_two_workers_prove_what_one_proves(tmp_path: Path) -> None:
    """The bound does not depend on the number of workers, the value hardly."""
    generate(items=6, stores=4, days=4, channels=2, dcs=1, seed=4, tight=0.3, out=tmp_path)
    tables = allocator.read(tmp_path)
    one, two = (allocator.solve(tables, engine="priced", workers=n).certificate for n in (1, 2))
    assert two["bound"] == pytest.approx(one["bound"], rel=1e-6)
    assert two["objective"] == pytest.approx(one["objective"], rel=0.01)


def test_rounds_are_kept_and_gone_on_from(tmp_path: Path) -> None:
    """A resumed run asks fewer rounds and proves no less; rounds of another input, or without --resume, are of no use."""
    generate(items=6, stores=4, days=4, channels=2, dcs=1, seed=4, tight=0.5, out=tmp_path / "network")
    tables, kept = allocator.read(tmp_path / "network"), tmp_path / "rounds"
    options = {"engine": "priced", "workers": 1, "checkpoint": kept}
    first = allocator.solve(tables, **options)
    rounds = _asked(first)
    assert rounds >= 2
    assert len(list(kept.glob("round-*.npz"))) == rounds
    again = allocator.solve(tables, **options, resume=True)
    assert _asked(again) < rounds
    assert again.certificate["bound"] >= first.certificate["bound"] - 1e-6 * abs(first.certificate["bound"])
    other = tables.replace(lots=tables.frame("lots").assign(quantity=lambda lots: lots["quantity"] + 1))
    assert _asked(allocator.solve(other, **options, resume=True)) >= 2
    fresh = allocator.solve(tables, **options)
    assert _asked(fresh) == rounds
    pd.testing.assert_frame_equal(fresh.shipments, first.shipments)


def _asked(plan: Plan) -> int:
    return sum(1 for entry in plan.manifest["solver"]["log"] if entry["event"] == "round")
