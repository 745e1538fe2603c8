"""The ledger: each transaction once, whatever is repeated, killed or done at once; stock replayed to the unit."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from allocator.databases import DatabaseError
from allocator.ledger.checking import check_rows
from allocator.ledger.posting import post, record, reverse
from allocator.ledger.recorded import read_recorded
from allocator.ledger.replay import stock_on
from allocator.ledger.store import PLANS, TABLE, Ledger, ledger_at
from allocator.ledger.transactions import LedgerError, joined, transactions
from tests.ledger.ledger_cases import PLANNERS, Stock, posting, write_batches

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a new ledger, in each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    schema: Callable[[], str] = request.getfixturevalue("postgres_schema")
    return schema()


def _written(tmp_path: Path, text: str, name: str = "rows.csv") -> pd.DataFrame:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_recorded(path)


def _stock(ledger: Ledger, day: str = "9999-12-31") -> Stock:
    frame = stock_on(ledger.rows(), day)
    return Counter(
        dict(zip(frame[["item", "lot", "site"]].itertuples(index=False, name=None), frame["millionths"], strict=True))
    )


def _worker(folder: Path, url: str, first: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.ledger.ledger_worker", str(folder), url, str(first)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _stressed(folder: Path, url: str, count: int, kills: int, seed: int) -> None:
    """Four planners at once, killed at random moments and started again; then every transaction is there once and stock is right."""
    draw = random.Random(seed)
    folder.mkdir()
    wanted = write_batches(folder, count, seed)
    workers = [_worker(folder, url, k) for k in range(PLANNERS)]
    for _ in range(kills):
        victim = draw.randrange(PLANNERS)
        assert workers[victim].stdout.readline() == "ready\n"  # type: ignore[union-attr]
        time.sleep(draw.uniform(0.0, 0.6))
        workers[victim].kill()
        workers[victim].communicate()
        workers[victim] = _worker(folder, url, victim)
    for worker in workers:
        told, error = worker.communicate(timeout=300)
        assert worker.returncode == 0, error
        assert told.endswith("done\n")
    with ledger_at(url) as ledger:
        rows = ledger.rows()
        assert _stock(ledger) == wanted
    assert rows["id"].is_unique
    assert check_rows(rows) == []
    plans = sum(len(posting(k).rows) + len(posting(k).opening) for k in range(PLANNERS))
    assert len(rows) == plans + count


def test_four_planners_at_once_one_of_them_killed(tmp_path: Path, url: str) -> None:
    """Random transactions, some given twice, some taken back, by four processes of which one is killed: stock is right to the millionth."""
    _stressed(tmp_path / "batches", url, count=200, kills=1, seed=6)


@pytest.mark.long
def test_thousand_transactions_by_four_planners_with_twelve_kills(tmp_path: Path, url: str) -> None:
    """The same with 1,000 transactions and twelve kills."""
    _stressed(tmp_path / "batches", url, count=1000, kills=12, seed=1)


def test_posting_a_plan_twice_adds_nothing(url: str) -> None:
    """The second posting finds everything there."""
    with ledger_at(url, create=True) as ledger:
        made = posting(1)
        assert post(ledger, made).added == len(made.rows) + len(made.opening)
        before = ledger.rows()
        again = post(ledger, made)
        assert (again.added, again.known) == (0, len(made.rows))
        pd.testing.assert_frame_equal(ledger.rows(), before)


@pytest.mark.parametrize("table", [TABLE, PLANS])
@pytest.mark.parametrize(
    "change", ["UPDATE {} SET plan = 'x'", "DELETE FROM {}", "INSERT OR REPLACE INTO {} SELECT * FROM {}"]
)
def test_nothing_can_be_changed_or_taken_away(url: str, table: str, change: str) -> None:
    """The database itself refuses every change of what is posted."""
    if "REPLACE" in change and url.startswith("postgresql"):
        change = "TRUNCATE {}"
    with ledger_at(url, create=True) as ledger:
        post(ledger, posting(1))
    with pytest.raises(DatabaseError, match=r"append-only"), ledger_at(url) as ledger, ledger.transaction():
        ledger.session.run(change.format(table, table))


def test_a_later_plan_releases_what_an_earlier_one_reserved(url: str) -> None:
    """Each reservation is released once, and the new plan's reservations stand."""
    first = posting(1)
    later = transactions(
        {
            "kind": "reservation",
            "plan": "e" * 32,
            "item": "I10",
            "from_place": "DC",
            "date": "2026-03-03",
            "quantity": 4,
        },
        1,
        "e" * 32,
    )
    second = type(first)("e" * 32, "a" * 64, first.network, "2026-03-03", "2026-03-04", later, first.opening.iloc[:0])
    with ledger_at(url, create=True) as ledger:
        post(ledger, first)
        post(ledger, second)
        post(ledger, second)
        rows = ledger.rows()
    held = rows[rows["kind"] == "reservation"]
    released = rows[rows["kind"] == "release"]
    assert len(held) > 2
    assert sorted(released["reverses"]) == sorted(held.loc[held["plan"] == first.plan, "id"])


def _other(first: Any, quantity: float, start: str = "2026-03-02") -> Any:
    values = {
        "kind": "admission",
        "plan": "d" * 32,
        "item": "I10",
        "lot": "L0",
        "from_place": "DC",
        "date": start,
        "quantity": quantity,
    }
    rows = transactions(values, 1, "d" * 32)
    return type(first)("d" * 32, "b" * 64, first.network, start, "2026-03-09", rows, first.opening)


def test_two_plans_of_the_same_days_and_items_are_not_added_up(url: str) -> None:
    """A second plan of the same night is refused, or takes the place of the first."""
    first = posting(1)
    with ledger_at(url, create=True) as ledger:
        post(ledger, first)
        with pytest.raises(LedgerError, match=r"--replace"):
            post(ledger, _other(first, 7))
        post(ledger, _other(first, 7), replace=True)
        post(ledger, _other(first, 7), replace=True)
        stock = _stock(ledger)
    assert stock["I10", "L0", "DC"] == 1_000_000_000_000 - 7_000_000


def test_more_than_there_is_can_t_be_posted(url: str) -> None:
    """A plan on stock that the ledger has not is refused whole; with the stock counted it is posted."""
    first = posting(1)
    richer = first.opening.assign(millionths=first.opening["millionths"] * 3)
    late = _other(first, 2_000_000, "2026-03-05")
    late = type(first)(late.plan, late.input_hash, late.network, late.start, late.until, late.rows, richer)
    with ledger_at(url, create=True) as ledger:
        post(ledger, first)
        before = ledger.rows()
        with pytest.raises(LedgerError, match=r"overdrawn.*--count"):
            post(ledger, late)
        pd.testing.assert_frame_equal(ledger.rows(), before)
        posted = post(ledger, late, counted=True)
        assert "was set to the plan's in" in posted.notes[0]
        assert _stock(ledger)["I10", "L0", "DC"] == 1_000_000_000_000
        assert check_rows(ledger.rows()) == []


def test_a_transaction_is_taken_back_once_in_all(tmp_path: Path, url: str) -> None:
    """Parts add up to the whole at most; the same call again changes nothing; a reversal is not itself taken back."""
    sent = _written(tmp_path, "reference,kind,item,lot,quantity,date,from,to\nT1,transfer,I10,L0,10,2026-03-04,DC,S1\n")
    with ledger_at(url, create=True) as ledger:
        post(ledger, posting(1))
        before = _stock(ledger)
        record(ledger, sent)
        identity = sent["id"].tolist()
        for _ in range(2):
            reverse(ledger, identity, "three fell off", quantity=3_000_000, reference="damage 1")
        with pytest.raises(LedgerError, match=r"only 7 "):
            reverse(ledger, identity, "too much", quantity=8_000_000, reference="damage 2")
        assert reverse(ledger, identity, "did not go").added == 1
        assert reverse(ledger, identity, "did not go").added == 0
        assert _stock(ledger) == before
        rows = ledger.rows()
        with pytest.raises(LedgerError, match=r"itself a reversal"):
            reverse(ledger, [rows["id"].iloc[-1]], "no")
        with pytest.raises(LedgerError, match=r"not in the ledger"):
            reverse(ledger, ["0" * 32], "no")


def test_what_was_used_since_is_only_taken_back_with_its_use(tmp_path: Path, url: str) -> None:
    """A shipment that did not go can't leave what was sold of it standing; the message names the use."""
    text = "reference,kind,item,lot,quantity,date,from,to\nR1,receipt,I10,NEW,10,2026-03-04,,S1\nR2,sale,I10,NEW,4,2026-03-05,S1,\n"
    rows = _written(tmp_path, text)
    with ledger_at(url, create=True) as ledger:
        post(ledger, posting(1))
        record(ledger, rows)
        with pytest.raises(LedgerError, match=rows["id"].iloc[1]):
            reverse(ledger, rows["id"].tolist()[:1], "never came")
        assert reverse(ledger, rows["id"].tolist(), "never came").added == 2
        assert _stock(ledger)["I10", "NEW", "S1"] == 0


def test_the_same_reference_with_another_quantity_is_refused(tmp_path: Path, url: str) -> None:
    """An id stands for one body for ever."""
    text = "reference,kind,item,lot,quantity,date,from,to\nR1,receipt,I10,NEW,{},2026-03-04,,S1\n"
    with ledger_at(url, create=True) as ledger:
        post(ledger, posting(1))
        record(ledger, _written(tmp_path, text.format(10)))
        with pytest.raises(LedgerError, match=r"with other contents"):
            record(ledger, _written(tmp_path, text.format(11)))


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("R1,gift,I10,L0,1,2026-03-04,,S1", "is not one of receipt"),
        ("R1,receipt,I10,L0,-1,2026-03-04,,S1", "not a number above 0"),
        ("R1,receipt,I10,L0,nan,2026-03-04,,S1", "not a number above 0"),
        ("R1,receipt,I10,L0,inf,2026-03-04,,S1", "not a number above 0"),
        ("R1,receipt,I10,L0,1,2026-02-30,,S1", "is not a day"),
        (",receipt,I10,L0,1,2026-03-04,,S1", "is blank"),
        ("R1,sale,I10,L0,1,2026-03-04,,", "give the site that the goods leave"),
        ("R1,receipt,I10,L0,1,2026-03-04,DC,S1", "nothing leaves a site"),
        ("R1,receipt,I10,L0,1,2026-03-04,,S1\nR1,receipt,I10,L0,2,2026-03-04,,S1", "stands in an earlier row"),
        ("R1,shipment,I10,L0,1,2026-03-04,DC,S1", "is not one of"),
    ],
)
def test_bad_records_are_told(tmp_path: Path, row: str, told: str) -> None:
    """Each broken row is named with its line, column, value and rule; nothing is posted."""
    with pytest.raises(LedgerError, match=told) as error:
        _written(tmp_path, f"reference,kind,item,lot,quantity,date,from,to\n{row}\n")
    assert "rows.csv line" in str(error.value)


def test_strange_sites_and_items_are_told(tmp_path: Path) -> None:
    """A mistyped code makes no stock of its own."""
    head = "reference,kind,item,lot,quantity,date,from,to\n"
    with ledger_at(str(tmp_path / "l.db"), create=True) as ledger:
        post(ledger, posting(1))
        with pytest.raises(LedgerError, match=r"no item I99"):
            record(ledger, _written(tmp_path, f"{head}R1,receipt,I99,L0,1,2026-03-04,,S1\n"))
        with pytest.raises(LedgerError, match=r"no site S9"):
            record(ledger, _written(tmp_path, f"{head}R1,receipt,I10,L0,1,2026-03-04,,S9\n"))
        assert len(joined([])) == 0
