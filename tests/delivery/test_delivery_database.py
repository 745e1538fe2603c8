"""Plans in a database: whole or not at all, each once, whatever stops, is killed or runs at once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from allocator.databases import Session, connect, parse_address
from allocator.delivery import DeliveryError, database, deliver, reach
from allocator.plan.publish import TABLES
from allocator.tables import InputError, read_tables
from allocator.tables import database as reading
from tests import postgres_server
from tests.delivery.delivery_cases import IDS, plan_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for plans, in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'plans.db'}"
    schema: Callable[[], str] = request.getfixturevalue("postgres_schema")
    return schema()


def _asked(url: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(parse_address(url)) as session:
        return [tuple(row.values()) for row in session.table(sql, *values).to_pylist()]


def _frame(session: Session, name: str, plan_id: str) -> pd.DataFrame:
    found = session.table(f"SELECT * FROM allocator_plan_{name} WHERE plan_id = ? ORDER BY row_number", plan_id)
    frame: pd.DataFrame = found.drop_columns(["plan_id", "row_number"]).to_pandas()
    return frame


def _state(url: str) -> dict[str, list[dict[str, Any]]]:
    """Everything that is in the database."""
    tables = ["allocator_published", "allocator_current", *(f"allocator_plan_{name}" for name in TABLES)]
    with connect(parse_address(url)) as session:
        return {table: session.table(f"SELECT * FROM {table} ORDER BY 1, 2").to_pylist() for table in tables}


def _same(url: str, folder: Path, plan_id: str) -> None:
    """Every table of a plan is in the database cell for cell."""
    with connect(parse_address(url)) as session:
        frames = {name: _frame(session, name, plan_id) for name in TABLES}
    for name, there in frames.items():
        here = pq.read_table(folder / f"{name}.parquet").to_pandas()
        if url.startswith("sqlite"):
            here = here.assign(date=here["date"].astype(str), committed=here["committed"].astype(int))
        assert there["quantity"].tolist() == here["quantity"].tolist()
        pd.testing.assert_frame_equal(there.astype(object), here.astype(object), check_dtype=False)


def test_a_plan_is_there_cell_for_cell(tmp_path: Path, url: str) -> None:
    """All tables, the manifest and the certificate of a plan come back as they were sent."""
    folder = plan_folder(tmp_path / "plan", IDS[0])
    done = deliver(folder, url)
    assert (done.rows, done.known, done.replaced) == (2 * 50 + 10 * 3, False, False)
    _same(url, folder, IDS[0])
    paper = (folder / "certificate.json").read_text(encoding="utf-8")
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    assert _asked(url, "SELECT certificate, manifest FROM allocator_published") == [(paper, manifest)]
    assert _asked(url, "SELECT network, scenario, plan_id FROM allocator_current") == [("dairy", "", IDS[0])]


def test_the_same_plan_again_adds_nothing(tmp_path: Path, url: str) -> None:
    """A plan published twice is there once; an older one published again adds nothing and is the current one again."""
    folders = [plan_folder(tmp_path / str(k), IDS[k]) for k in range(2)]
    for folder in folders:
        deliver(folder, url)
    before = _state(url)
    assert deliver(folders[1], url).known
    assert _state(url) == before
    assert deliver(folders[0], url).known
    after = _state(url)
    assert {name: after[name] for name in after if name != "allocator_current"} == {
        name: before[name] for name in before if name != "allocator_current"
    }
    assert _asked(url, "SELECT plan_id FROM allocator_current") == [(IDS[0],)]


def test_other_contents_of_one_plan_take_its_place(tmp_path: Path, url: str) -> None:
    """A plan of the same id with other tables (both ended by their deadline) replaces the first, whole."""
    deliver(plan_folder(tmp_path / "a", IDS[0], rows=90), url)
    folder = plan_folder(tmp_path / "b", IDS[0], rows=40, factor=2.0)
    assert deliver(folder, url).replaced
    _same(url, folder, IDS[0])
    assert _asked(url, "SELECT count(*) FROM allocator_published") == [(1,)]


def test_each_network_has_its_current_plan(tmp_path: Path, url: str) -> None:
    """Plans of two networks don't take each other's place."""
    for k, network in enumerate(["dairy", 'it\'s "odd"; --']):
        deliver(plan_folder(tmp_path / str(k), IDS[k], network=network), url)
    found = _asked(url, "SELECT network, plan_id FROM allocator_current ORDER BY plan_id")
    assert found == [("dairy", IDS[0]), ('it\'s "odd"; --', IDS[1])]


@pytest.mark.parametrize("at", [0, 1, len(TABLES) // 2, len(TABLES) - 1])
def test_a_failure_at_any_table_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Whichever table fails, the database holds the older plan, whole, and the next try succeeds."""
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    deliver(plan_folder(tmp_path / "old", IDS[0]), url)
    before = _state(url)
    folder = plan_folder(tmp_path / "new", IDS[1])
    _broken_at(monkeypatch, TABLES[at], lambda: (_ for _ in ()).throw(DeliveryError("disk full")))
    with pytest.raises(DeliveryError, match="disk full"):
        deliver(folder, url)
    assert _state(url) == before
    monkeypatch.undo()
    deliver(folder, url)
    _same(url, folder, IDS[1])


def _broken_at(monkeypatch: pytest.MonkeyPatch, table: str, fault: Callable[[], Any]) -> None:
    """Have something happen when a table's rows are added, with the transaction half done."""
    add = database._add

    def broken(session: Session, parcel: Any, name: str, *rest: Any, **more: Any) -> None:
        if name == table:
            fault()
        add(session, parcel, name, *rest, **more)

    monkeypatch.setattr(database, "_add", broken)


def test_server_stopped_in_mid_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_server: postgres_server.Server
) -> None:
    """PostgreSQL that stops with the transaction half done: one line, the old plan whole, the folder there to publish again."""
    url = own_server.url
    old = plan_folder(tmp_path / "old", IDS[0])
    deliver(old, url)
    before = _state(url)
    folder = plan_folder(tmp_path / "new", IDS[1], rows=5000)
    _broken_at(monkeypatch, "ledger", own_server.kill)
    with pytest.raises(DeliveryError) as caught:
        deliver(folder, url)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("postgresql://planner@")
    with pytest.raises(DeliveryError):
        reach(url)
    own_server.start()
    monkeypatch.undo()
    assert _state(url) == before
    _same(url, old, IDS[0])
    assert deliver(folder, url).rows == 2 * 5000 + 30
    _same(url, folder, IDS[1])


def test_server_stopped_in_mid_read(monkeypatch: pytest.MonkeyPatch, own_server: postgres_server.Server) -> None:
    """PostgreSQL that stops while the rows of a table come in: one finding, in one line."""
    url = own_server.url
    with connect(parse_address(url)) as session, session.transaction():
        session.run(
            "CREATE VIEW lots AS SELECT 'L' || g AS lot, repeat('x', 100) AS item, 'D1' AS site, 4 AS quantity, "
            "DATE '2026-01-01' AS received_date FROM generate_series(1, 300000) g"
        )
    coded = reading._coded

    def stopped(part: Any) -> Any:
        own_server.kill()
        monkeypatch.setattr(reading, "_coded", coded)
        return coded(part)

    monkeypatch.setattr(reading, "_coded", stopped)
    with pytest.raises(InputError) as caught:
        read_tables(url)
    own_server.start()
    (told,) = [str(finding) for finding in caught.value.findings]
    assert told.startswith("postgresql://planner@")
    assert "server closed the connection" in told
    assert "\n" not in told


def test_what_stands_in_the_way_is_one_line(tmp_path: Path, url: str) -> None:
    """A table of another version, and a table of somebody else under our name, are told with a mend; nothing is changed."""
    folder = plan_folder(tmp_path / "plan", IDS[0])
    with connect(parse_address(url)) as session, session.transaction():
        session.run("CREATE TABLE allocator_plan_hedge (plan_id TEXT, row_number BIGINT, item TEXT)")
    with pytest.raises(DeliveryError, match="table allocator_plan_hedge has no column from"):
        deliver(folder, url)
    assert _asked(url, "SELECT count(*) FROM allocator_published") == [(0,)]


def test_damaged_folders_are_refused(tmp_path: Path, url: str) -> None:
    """What is no plan folder, or not as its manifest says, is not sent."""
    folder = plan_folder(tmp_path / "plan", IDS[0])
    (folder / "unmet.parquet").write_bytes(b"other")
    for place, told in [
        (folder, "unmet.parquet is not what manifest.json says"),
        (tmp_path / "none", "is not a plan folder"),
    ]:
        with pytest.raises(DeliveryError, match=told):
            deliver(place, url)
    manifest = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(manifest.replace('"unmet.parquet"', '"../unmet.parquet"'), encoding="utf-8")
    with pytest.raises(DeliveryError, match=r"has no unmet\.parquet"):
        deliver(folder, url)


def _worker(url: str, rounds: int, *folders: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.delivery.delivery_worker", url, str(rounds), *map(str, folders)]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'models'}"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_planners_at_once(tmp_path: Path, postgres_schema: Callable[[], str]) -> None:
    """Three planners publish the same plans at once, each in another order: every plan is there once and whole."""
    _at_once(tmp_path, postgres_schema())


@pytest.mark.long
def test_planners_at_once_in_a_file(tmp_path: Path) -> None:
    """The same with SQLite, whose writers wait for its one lock."""
    _at_once(tmp_path, f"sqlite:///{tmp_path / 'plans.db'}")


def _at_once(tmp_path: Path, url: str) -> None:
    folders = [plan_folder(tmp_path / f"plan{k}", IDS[k], rows=300) for k in range(3)]
    workers = [_worker(url, 2, *folders[k:], *folders[:k]) for k in range(3)]
    for worker in workers:
        told, error = worker.communicate(timeout=300)
        assert worker.returncode == 0, error
        assert told.endswith("done\n")
    for k, folder in enumerate(folders):
        _same(url, folder, IDS[k])
    assert _asked(url, "SELECT count(*) FROM allocator_published") == [(3,)]
    assert _asked(url, "SELECT count(*) FROM allocator_plan_ledger") == [(900,)]


@pytest.mark.long
def test_planners_killed_at_any_moment(tmp_path: Path, url: str) -> None:
    """Planners killed at 20 random moments: each time, every plan that is listed is whole, and no row is of another."""
    draw = random.Random(7)
    folders = [plan_folder(tmp_path / f"plan{k}", IDS[k], rows=20_000) for k in range(3)]
    deliver(folders[0], url)
    for _ in range(20):
        worker = _worker(url, 50, *folders)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        time.sleep(draw.uniform(0.0, 2.5))
        worker.kill()
        worker.communicate()
        listed = [plan for (plan,) in _asked(url, "SELECT plan_id FROM allocator_published")]
        assert IDS[0] in listed
        for name in ("shipments", "hedge"):
            counts = dict(_asked(url, f"SELECT plan_id, count(*) FROM allocator_plan_{name} GROUP BY plan_id"))
            assert counts == dict.fromkeys(listed, 20_000 if name == "shipments" else 3)
        with connect(parse_address(url)) as session, session.transaction():  # so that there is something to write again
            victim = draw.choice(IDS[1:3])
            session.run("UPDATE allocator_current SET plan_id = ?", IDS[0])
            for name in TABLES:
                session.run(f"DELETE FROM allocator_plan_{name} WHERE plan_id = ?", victim)
            session.run("DELETE FROM allocator_published WHERE plan_id = ?", victim)
    for k, folder in enumerate(folders):
        deliver(folder, url)
        _same(url, folder, IDS[k])


@pytest.mark.long
def test_one_hundred_thousand_rows_stay_small(tmp_path: Path) -> None:
    """Rows are staged a batch at a time: a large plan takes no more memory than a batch."""
    import tracemalloc

    folder = plan_folder(tmp_path / "plan", IDS[0], rows=100_000)
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    tracemalloc.start()
    deliver(folder, url)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 60 << 20
    assert _asked(url, "SELECT count(*) FROM allocator_plan_shipments") == [(100_000,)]
