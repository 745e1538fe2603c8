"""The parts of the audit that compute more than they look up, against a second way of computing the same."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audit_sample import TOML, sample_certificate, sample_plan, sample_previous, sample_tables
from scipy.optimize import linprog

import allocator.audit
import allocator.audit.sheets
from allocator.audit import audit
from allocator.audit.calendar import Calendar
from allocator.audit.coded import LotMoves
from allocator.audit.demand import _follow, read_claims
from allocator.audit.facts import Facts, read_facts
from allocator.audit.keys import Keys, Tally, label, pack
from allocator.audit.laws import _most_calls
from allocator.audit.lots import Layers, running
from allocator.audit.registry import Notebook
from allocator.audit.rotation import check_rotation
from allocator.audit.sheets import coded

FORBIDDEN = ("network", "program", "solve", "engine", "rules", "lots", "plan", "run", "measure")


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """Code the sample network."""
    return read_facts(sample_tables(tmp_path))


def test_audit_imports_nothing_it_audits() -> None:
    """No file of the audit imports the model, the solver, the rules, the lots or the plan."""
    folder = Path(allocator.audit.__file__).parent
    names: set[str] = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
    assert not [name for name in names if name.startswith("allocator_models")]
    assert not [name for name in names if name.startswith(tuple(f"allocator.{part}" for part in FORBIDDEN))]


def test_most_calls_is_the_linear_programs_optimum() -> None:
    """The greedy split of pull shipments into calls and firm demand calls as much as a linear program can."""
    rng = np.random.default_rng(5)
    for _ in range(60):
        buckets, count = int(rng.integers(1, 7)), int(rng.integers(1, 9))
        bucket = rng.integers(0, buckets, count)
        arrive = bucket + rng.integers(0, 4, count)
        arrive[arrive >= buckets] = -1
        quantity = rng.integers(1, 9, count).astype(float)
        backlog = rng.integers(0, 12, (1, buckets)).astype(float)
        last = np.where(arrive < 0, buckets - 1, np.maximum(arrive - 1, bucket))
        stands = [(bucket <= now) & (last >= now) for now in range(buckets)]
        best = linprog(
            -np.ones(count),
            A_ub=np.array(stands, dtype=float),
            b_ub=backlog[0],
            bounds=list(zip(0 * quantity, quantity, strict=True)),
        )
        called = _most_calls(np.zeros(count, dtype=np.int64), bucket, arrive, quantity, backlog)
        assert called[0] == pytest.approx(-best.fun, abs=1e-7)


def test_demand_ages_as_a_queue_does(facts: Facts) -> None:
    """Losses and backlog from running sums are those of a queue of units served one by one, oldest first."""
    rng = np.random.default_rng(8)
    claims = read_claims(facts)
    buckets = facts.calendar.buckets
    for _ in range(50):
        wait = int(rng.integers(0, buckets + 1))
        demand = rng.integers(0, 6, (1, buckets)).astype(float)
        lapsing = np.zeros_like(demand)
        lapsing[0, wait:] = demand[0, : buckets - wait] if wait < buckets else []
        queue: list[int] = []
        served, lost, backlog = (np.zeros((1, buckets)) for _ in range(3))
        for now in range(buckets):
            queue += [now] * int(demand[0, now])
            take = int(rng.integers(0, len(queue) + 1))
            served[0, now], queue = take, queue[take:]
            lost[0, now] = sum(due + wait <= now for due in queue)
            queue = [due for due in queue if due + wait > now]
            backlog[0, now] = len(queue)
        object.__setattr__(claims, "demand", demand)
        object.__setattr__(claims, "lapsing", lapsing)
        fate = _follow(claims, served)
        assert fate.lost.tolist() == lost.tolist()
        assert fate.backlog.tolist() == backlog.tolist()


@pytest.mark.parametrize("rule", ["FEFO", "FIFO", "LIFO"])
def test_skipped_lots_are_those_a_row_by_row_check_finds(facts: Facts, rule: str) -> None:
    """The order check agrees with one that looks at every move and every lot."""
    rng = np.random.default_rng(3)
    object.__setattr__(facts, "rotation", [rule] * len(facts.items))
    for _ in range(40):
        layers, moves = random_moves(facts, rng, rule)
        book = Notebook()
        check_rotation(facts, moves, layers, book)
        assert book.broken.get("lot_order", 0) == skipped_one_by_one(facts, layers, moves, rule)


def random_moves(facts: Facts, rng: np.random.Generator, rule: str) -> tuple[Layers, LotMoves]:
    """Draw lots at two sites and moves that take from any of them, shipped outside the network."""
    lots, count = 8, 14
    start = rng.integers(1, 9, lots).astype(float)
    layer = rng.integers(0, lots, count)
    site, item = rng.integers(0, 2, lots), rng.integers(0, 2, lots)
    quantity = np.minimum(rng.integers(1, 4, count), 9).astype(float)
    left, keep = start.copy(), np.zeros(count, dtype=bool)
    bucket = np.sort(rng.integers(0, facts.calendar.buckets, count))
    for row in range(count):
        keep[row] = left[layer[row]] >= quantity[row]
        left[layer[row]] -= quantity[row] if keep[row] else 0.0
    layer, quantity, bucket = layer[keep], quantity[keep], bucket[keep]
    some = len(layer)
    columns = {"item": item, "site": site, "lot": np.arange(lots), "received": rng.integers(-3, 1, lots)}
    columns["expiry"] = rng.integers(1, 12, lots)
    entry_bucket = rng.integers(-1, 2, lots)
    layers = Layers(
        **columns,
        entry=start,
        entry_layer=np.arange(lots),
        entry_bucket=entry_bucket,
        move_layer=layer,
        sent_layer=np.full(some, -1),
    )
    lane = rng.integers(0, len(facts.lanes), some)
    moves = LotMoves(
        lot=layer, item=item[layer], site=site[layer], kind=np.zeros(some, dtype=np.int64), to_site=np.full(some, 2),
        lane=lane, zone=np.full(some, -1), channel=np.full(some, -1), day=facts.calendar.first[bucket], bucket=bucket,
        arrive_day=facts.calendar.first[bucket], received=columns["received"][layer], expiry=columns["expiry"][layer],
        quantity=quantity, rule=pd.Series([rule] * some, dtype=object), claim=pd.Series([""] * some, dtype=object),
    )  # fmt: skip
    return layers, moves


def skipped_one_by_one(facts: Facts, layers: Layers, moves: LotMoves, rule: str) -> int:
    """Count the moves that skip a lot, by looking at each lot for each move."""

    def turn(y: int) -> tuple[int, int, int]:
        expiry, received, lot = int(layers.expiry[y]), int(layers.received[y]), int(layers.lot[y])
        return {"FEFO": (expiry, received, lot), "FIFO": (received, expiry, lot), "LIFO": (-received, expiry, lot)}[
            rule
        ]

    def held(y: int, before: int) -> float:
        taken = sum(
            moves.quantity[m] for m in range(len(moves.lot)) if layers.move_layer[m] == y and moves.bucket[m] < before
        )
        return float(layers.entry[y] - taken)

    count = 0
    for m in range(len(moves.lot)):
        now, own = int(moves.bucket[m]), int(layers.move_layer[m])
        need = moves.day[m] + facts.lead[moves.lane[m]]
        for y in range(len(layers.item)):
            same = layers.item[y] == layers.item[own] and layers.site[y] == layers.site[own]
            there = layers.entry_bucket[y] < now or layers.entry_bucket[y] == -1
            if (
                same
                and there
                and held(y, now) > 0
                and held(y, now + 1) > 0
                and turn(y) < turn(own)
                and layers.expiry[y] >= need
            ):
                count += 1
                break
    return count


def test_calendar_ships_on_the_first_departing_day(facts: Facts) -> None:
    """A lane ships on the first departing day of a bucket; a bucket without one has no ship day."""
    calendar: Calendar = facts.calendar
    day, count = calendar.ship_days(calendar.departures(pd.Series(["1111111", "0000100", "0100000"])))
    assert day.tolist() == [[0, 1, 2, 3], [-1, -1, -1, 4], [-1, 1, -1, -1]]
    assert count.tolist() == [[1, 1, 1, 2], [0, 0, 0, 1], [0, 1, 0, 0]]


def test_rounded_demand_adds_up(tmp_path: Path) -> None:
    """A forecast of 0.4 a day becomes whole units that follow its running sum, less what firm orders take."""
    facts = read_facts(sample_tables(tmp_path))
    claims = read_claims(facts)
    item, zone = facts.items.codes.get_loc("BOX"), facts.zones.codes.get_loc("ST")
    rows = np.flatnonzero((claims.item == item) & (claims.zone == zone))
    by_name = {claims.names[int(claims.name[row])]: claims.demand[row].tolist() for row in rows}
    assert by_name == {"forecast": [0, 1, 0, 1], "firm": [0, 0, 2, 0]}


def test_overdue_order_waits_less(tmp_path: Path) -> None:
    """An order overdue by a day falls on day 0 and may wait a day less than its channel allows."""
    facts = read_facts(sample_tables(tmp_path))
    claims = read_claims(facts)
    row = np.flatnonzero((claims.names.codes[claims.name] == "firm") & claims.backorder)[0]
    assert claims.demand[row].tolist() == [3, 0, 0, 0]
    assert claims.lapsing[row].tolist() == [0, 3, 0, 0]


def test_keys_and_sums() -> None:
    """Keys are found where they are and nowhere else; sums are by key; running sums start afresh."""
    keys = Keys.of(np.array([7, 3, 7, -1]))
    assert keys.find(np.array([3, 7, 5, -1])).tolist() == [1, 0, -1, -1]
    assert Tally.of(np.array([2, 2, -1, 5]), np.array([1.0, 2.0, 9.0, 4.0])).at(np.array([5, 2, 3])).tolist() == [
        4,
        3,
        0,
    ]
    assert pack((4, 10), np.array([1, -1]), np.array([2, 2])).tolist() == [12, -1]
    assert label(np.array([1, 1, 2]), np.array([5, 5, 5]))[0].tolist() == [0, 0, 1]
    assert running(np.array([0, 0, 4]), np.array([1.0, 2.0, 5.0])).tolist() == [1, 3, 5]


def test_sample_uses_longer_buckets() -> None:
    """The sample covers a bucket of more than a day (a guard for the tests above)."""
    assert "buckets = [1, 1, 1, 2]" in TOML
    assert len(sample_plan()["projections"]) == 36


@pytest.mark.parametrize("words", ["plain", "coded"])
def test_runs_of_one_item_tell_what_one_run_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """Audited item by item or at once, from plain words or coded ones, in order or not, a plan is judged the same."""
    tables, plan = sample_tables(tmp_path), sample_plan()
    plan["shipments"].loc[0, "quantity"] += 1
    plan["ledger"].loc[3, "to"] = "elsewhere"
    once = audit(tables, plan, sample_certificate(), sample_previous())
    monkeypatch.setattr(allocator.audit.sheets, "CELLS", 1)
    if words == "coded":
        plan = {name: coded(frame.astype(dict.fromkeys(word_columns(frame), "str"))) for name, frame in plan.items()}
    many = audit(tables, plan, sample_certificate(), sample_previous())
    assert (many.broken, many.checked) == (once.broken, once.checked)
    assert sorted(map(str, many.findings)) == sorted(map(str, once.findings))
    assert many.objective == pytest.approx(once.objective)


def word_columns(frame: pd.DataFrame) -> list[str]:
    """Name the columns of a frame that hold words alone."""
    return [name for name in frame.columns if frame[name].map(lambda cell: isinstance(cell, str)).all() and len(frame)]
