"""From a plan to the ledger to the next night's plan, by the commands."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import allocator
from allocator.cli import cli
from allocator.ledger.folder import against_projections
from allocator.plan.ledger import hexed, keys_of
from allocator.plan.plan import Plan, read_plan

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def dairy(tmp_path: Path) -> Path:
    """The network shown in README, with a planner's lock and a receipt."""
    shown = re.search(r"<!-- example:.*?```\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert shown
    folder = tmp_path / "dairy"
    folder.mkdir()
    for name, text in re.findall(r"^# (\S+)\n((?:(?!# ).*\n)+)", shown[1], re.M):
        (folder / name).write_text(text, encoding="utf-8")
    lock = (
        "lock,item,origin,destination,date,kind,quantity,reason,planner\nK1,00123,DC1,S1,2026-03-02,min,5,promo,ann\n"
    )
    (folder / "locks.csv").write_text(lock, encoding="utf-8")
    (folder / "receipts.csv").write_text(
        "receipt,item,site,date,quantity\nPO1,00123,DC1,2026-03-02,10\nPO2,00123,DC1,2026-03-03,6\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def plan(dairy: Path, tmp_path: Path) -> Plan:
    """Its plan, published."""
    return read_plan(allocator.solve(allocator.read(dairy), engine="rules").write(tmp_path / "plan"))


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, arguments)], standalone_mode=True)


def test_the_next_night_starts_from_the_replayed_stock(dairy: Path, plan: Plan, tmp_path: Path) -> None:
    """Posted, a truck that did not go taken back, stock written, read as the next network and compared: equal to the unit."""
    url, folder = tmp_path / "ledger.db", tmp_path / "plan"
    posted = _run("post", folder, "--to", url, "--json")
    assert posted.exit_code == 0, posted.output
    told = json.loads(posted.stdout)
    kinds = plan.tables["ledger"]
    committed = int((kinds["date"] == "2026-03-02").sum())
    assert told["added"] == committed + len(plan.reserves) + 2 + 1 + 1  # opening lots, the lock, the receipt of the day
    assert json.loads(_run("post", folder, "--to", url, "--json").stdout)["added"] == 0
    went = kinds[(kinds["kind"] == "shipment") & (kinds["to"] == "S1") & (kinds["date"] == "2026-03-02")]
    for _ in range(2):
        assert _run("reverse", *went["id"], "--to", url, "--reason", "not loaded").exit_code == 0
    assert _run("stock", url, "--on", "2026-03-03", "--to", dairy).exit_code == 0
    settings = dairy / "network.toml"
    settings.write_text(
        settings.read_text(encoding="utf-8")
        .replace("2026-03-02", "2026-03-03")
        .replace("horizon_days = 3", "horizon_days = 2")
    )
    (dairy / "locks.csv").unlink()
    lots = allocator.read(dairy).frame("lots")
    sold = plan.admissions.loc[plan.admissions["date"] == "2026-03-02", "quantity"].sum()
    assert lots["quantity"].sum() == 120 + 10 - sold
    again = _run("replay", url, "--against", dairy)
    assert (again.exit_code, again.stdout.split(":")[0]) == (0, "equal")
    other = dairy / "lots.csv"
    other.write_text(
        re.sub(r"(?m)^(\"L2\".*?,)(\d+)(,\"?2)", r"\g<1>1\3", other.read_text(encoding="utf-8"), count=1),
        encoding="utf-8",
    )
    apart = _run("replay", url, "--against", dairy)
    assert apart.exit_code == 5
    assert "lot L2 of item 00123" in apart.stdout


def test_goods_under_way_come_as_receipts(dairy: Path, plan: Plan, tmp_path: Path) -> None:
    """What was sent and has not arrived is in the next night's receipts, with its lot and expiry."""
    _run("post", tmp_path / "plan", "--to", tmp_path / "l.db")
    _run("stock", tmp_path / "l.db", "--on", "2026-03-03", "--to", tmp_path / "next", "--format", "parquet")
    coming = pq.read_table(tmp_path / "next" / "receipts.parquet").to_pandas()
    sent = plan.lot_moves[
        (plan.lot_moves["for"] == "shipment")
        & (plan.lot_moves["date"] == "2026-03-02")
        & (plan.lot_moves["to"] == "S1")
    ]
    assert coming["quantity"].sum() == sent["quantity"].sum() > 0
    assert set(coming["lot"]) == set(sent["lot"])


def test_a_plan_s_own_ledger_replays_to_its_projections(plan: Plan, tmp_path: Path) -> None:
    """Without any database; a projection that is off by one is told."""
    folder = tmp_path / "plan"
    assert _run("replay", folder).exit_code == 0
    checked, apart = against_projections(plan)
    assert checked >= len(plan.projections) > 0
    assert apart == []
    table = plan.projections.copy()
    table.loc[0, "stock"] += 1
    wrong = Plan(plan.network, {**plan.tables, "projections": table}, plan.certificate, plan.manifest)
    assert len(against_projections(wrong)[1]) == 1


def test_ids_of_published_moves_are_those_of_the_ledger(plan: Plan) -> None:
    """Read back from Parquet, moves hash to the ids they had in memory, long words and days included."""
    ids = hexed(*keys_of(plan.lot_moves.drop(columns="quantity"), plan.manifest["plan_id"]))
    assert sorted(ids) == sorted(plan.tables["ledger"]["id"])
    long = pd.DataFrame({"word": ["A-LONG-WORD-1", "A-LONG-WORD-2"]})
    assert hexed(*keys_of(long, "k")).nunique() == 2
    assert list(hexed(*keys_of(long, "k"))) == list(hexed(*keys_of(long.astype("category"), "k")))


def test_a_plan_whose_ledger_was_changed_is_not_posted(plan: Plan, tmp_path: Path) -> None:
    """The ledger table must be that of the lot moves."""
    path = tmp_path / "plan" / "ledger.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(0, "id", pa.array(["0" * 32] * table.num_rows)), path)
    refused = _run("post", tmp_path / "plan", "--to", tmp_path / "l.db")
    assert refused.exit_code == 2
    assert "run allocator verify" in refused.output
    assert not (tmp_path / "l.db").exists()
