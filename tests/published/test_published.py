"""Published instances: the command line, fed CSV tables only, proves the published optimum."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.published.convert import SHARED, Instance, instances

ROOT = Path(__file__).parents[2]
TOLERANCE = 1e-6  # relative


def _params(chosen: list[Instance]) -> list[Any]:
    """Mark what is not quick as `long`."""
    return [
        pytest.param(
            instance, id=f"{instance.family}-{instance.name}", marks=() if instance.quick else pytest.mark.long
        )
        for instance in chosen
    ]


def _plan(instance: Instance, folder: Path) -> Path:
    """Write the network folder, run `allocator plan` on it and give the plan folder."""
    network, plan = instance.build().write(folder / "network"), folder / "plan"
    command = [sys.executable, "-m", "allocator", "plan", str(network), "-o", str(plan)]
    # The source tree comes first, so that the tests also run where the package isn't installed.
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "models")])}
    run = subprocess.run(command, cwd=ROOT, env=found, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, f"exit code {run.returncode}\n{run.stderr[-2000:]}"
    return plan


@pytest.mark.parametrize("instance", _params([i for i in instances() if i.optimum is not None]))
def test_plan_proves_the_published_optimum(instance: Instance, tmp_path: Path) -> None:
    """The certificate's objective and its bound are both the published optimum."""
    certificate = json.loads((_plan(instance, tmp_path) / "certificate.json").read_text())
    assert instance.optimum is not None
    slack = TOLERANCE * max(1.0, abs(instance.optimum))
    assert certificate["objective"] == pytest.approx(instance.optimum, rel=0, abs=slack)
    assert certificate["bound"] == pytest.approx(instance.optimum, rel=0, abs=slack)
    assert certificate["bound"] <= certificate["objective"] + 1e-9 * max(1.0, abs(instance.optimum))


@pytest.mark.parametrize("instance", _params([i for i in instances() if i.optimum is None]))
def test_plan_of_an_infeasible_instance_names_what_gave(instance: Instance, tmp_path: Path) -> None:
    """Demand that can't be met is listed in the exceptions, with its amount, its cost and a mend."""
    plan = _plan(instance, tmp_path)
    exceptions, unmet = pd.read_parquet(plan / "exceptions.parquet"), pd.read_parquet(plan / "unmet.parquet")
    gave = exceptions[exceptions["what"] == "demand"]
    assert not gave.empty
    assert (gave["amount"] > 0).all()
    assert (gave["cost"] > 0).all()
    assert gave["mend"].str.len().gt(0).all()
    assert unmet["quantity"].sum() == pytest.approx(gave["amount"].sum(), rel=TOLERANCE)


def test_every_instance_reads_without_findings(tmp_path: Path) -> None:
    """No converted table breaks a rule of the contract."""
    from allocator.tables import read_tables

    for instance in instances():
        assert read_tables(instance.build().write(tmp_path / instance.name)).settings.name == instance.name


def test_research_sets_are_here() -> None:
    """Sets that may not be copied are read from ../shared/data."""
    if not (SHARED / "canad_r").is_dir():
        pytest.skip(f"canad_r may not be copied into the project and {SHARED} is not here: its instances are not run")
    assert sum(instance.family == "canad_r" for instance in instances()) == 18
