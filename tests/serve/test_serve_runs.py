"""Runs behind the page: real plans of a small network, a lock kept, a cancel that kills, a restart that finds what was done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import allocator
from tests.serve.served import NASTY, Client, served, write_network

PROMO = 'base = "small"\n[[change]]\ntable = "forecasts"\nwhere = { item = "milk" }\nscale = { mean = 2.0 }\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, a scenario on it, and an item whose description is markup."""
    folder = tmp_path_factory.mktemp("runs")
    network = write_network(folder, promo=PROMO)
    items = (network / "items.csv").read_text(encoding="utf-8").splitlines()
    quoted = NASTY.replace('"', '""')
    told = [items[0] + ",description", *(f'{line},"{quoted}"' for line in items[1:])]
    (network / "items.csv").write_text("\n".join(told) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """A browser at the page over it."""
    with served(folder) as client:
        yield client


@pytest.fixture(scope="module")
def plans(client: Client, folder: Path) -> list[str]:
    """The network planned as it is and under the scenario, from the page; the places of the plans."""
    runs = [client.post("/start", network="small", scenario=name) for name in ("", "promo.toml")]
    for run in runs:
        ended = client.ended(run.to.partition("=")[2])
        assert "done" in ended.words
    return [
        next(path.relative_to(folder).as_posix() for path in (folder / "plans").glob(f"{name}.*"))
        for name in ("small", "small+promo")
    ]


def test_runs_are_listed_with_their_figures(client: Client, folder: Path, plans: list[str]) -> None:
    """Both plans stand in the list with value, scenario and start; their values are those of the command line."""
    page = client.get("/").words
    for place, scenario in zip(plans, ("", "promo"), strict=True):
        plan = allocator.read_plan(folder / place)
        assert (
            plan.certificate["value"]
            == allocator.solve(allocator.read(folder / "small", scenario=scenario)).certificate["value"]
        )
        assert f"{plan.certificate['value']:,.0f}" in page
        assert place in page
    assert "2026-03-02" in page


def test_the_same_run_is_not_run_again(client: Client, plans: list[str]) -> None:
    """The same input and options: the plan that is there is the answer, at once."""
    run = client.post("/start", network="small", scenario="promo.toml").to.partition("=")[2]
    assert "made before from the same input" in client.get("/run", run=run).words


def test_two_plans_are_compared(client: Client, plans: list[str]) -> None:
    """The page of allocator compare, with the base that was picked, under its own policy."""
    page = client.get("/compare", plan=plans, base=plans[1])
    assert page.status == 200
    assert "Every difference is to promo." in page.words
    assert "sha256-" in page.headers["content-security-policy"]
    assert client.get("/compare", plan=plans[:1]).status == 400
    assert client.get("/compare", plan=[plans[0], "plans/none"]).status == 404


def test_plan_item_site_and_place_can_be_looked_at(client: Client, plans: list[str]) -> None:
    """From a plan to an item, a site, and one at the other; words of the data stay words; an unknown code is said."""
    for path, fields, said in (
        ("/plan", {}, "Proven optimal"),
        ("/report", {}, "Value of the plan"),
        ("/item", {"item": "milk"}, "Stock over time"),
        ("/site", {"site": "S1"}, "A store."),
        ("/place", {"item": "milk", "site": "S1"}, "What was asked"),
        ("/place", {"item": "milk", "site": "S1", "instead": "9"}, "Why not another quantity"),
        ("/place", {"item": "milk", "site": "S1", "instead": "nine"}, "is not a number"),
    ):
        page = client.get(path, plan=plans[0], **fields)
        assert page.status == 200
        assert said in page.words
        assert "<script>alert" not in page.text
    assert NASTY in client.get("/item", plan=plans[0], item="milk").words
    assert client.get("/item", plan=plans[0], item="beer").status == 404


def test_a_report_of_another_hand_is_drawn_again(client: Client, folder: Path, plans: list[str]) -> None:
    """A report that this version did not draw is never served: its scripts would run as the page's own."""
    report = folder / plans[0] / "report.html"
    whole = report.read_text(encoding="utf-8")
    try:
        report.write_text("<html><script>alert(1)</script></html>", encoding="utf-8")
        page = client.get("/report", plan=plans[0])
    finally:
        report.write_text(whole, encoding="utf-8")
    assert "<script>alert" not in page.text
    assert "Value of the plan" in page.words
    assert "unsafe" not in page.headers["content-security-policy"]


def lock(plan: str, **more: str) -> dict[str, str]:
    """The fields of a form that decides three units of milk to the first store."""
    fields = {
        **{
            "plan": plan,
            "item": "milk",
            "site": "S1",
            "lane": "0",
            "date": "2026-03-03",
            "kind": "fix",
            "quantity": "3",
        },
        **{"reason": NASTY, "planner": "Ada", "name": "decided", "action": "replan"},
    }
    return fields | more


def test_a_decided_quantity_is_shipped(client: Client, folder: Path, plans: list[str]) -> None:
    """The lock is a scenario over the plan's own network and scenarios; planned again, its shipments have the quantity."""
    network = {path.name: path.read_bytes() for path in (folder / "small").iterdir()}
    old = allocator.read_plan(folder / plans[1]).shipments
    there = (old["item"] == "milk") & (old["destination"] == "S1") & (old["ship_date"].astype(str) == "2026-03-03")
    assert old.loc[there, "quantity"].sum() != 3
    run = client.post("/override", **lock(plans[1])).to
    assert run.startswith("/run?run=")
    assert "done" in client.ended(run.partition("=")[2]).words
    place = next((folder / "plans").glob("small+promo+decided.*"))
    plan = allocator.read_plan(place)
    ships = plan.shipments
    mine = (ships["item"] == "milk") & (ships["origin"] == "DC") & (ships["destination"] == "S1")
    assert ships.loc[mine & (ships["ship_date"].astype(str) == "2026-03-03"), "quantity"].tolist() == [3.0]
    assert plan.verify().ok
    locks = plan.network.frame("locks")
    assert locks[["planner", "reason", "kind"]].to_numpy().tolist() == [["Ada", NASTY, "fix"]]
    assert {path.name: path.read_bytes() for path in (folder / "small").iterdir()} == network
    asked = client.post("/override", **lock(plans[1], date="2026-03-02", quantity="2", action="save"))
    seen = asked.text.partition('name="seen" value="')[2].partition('"')[0]
    assert asked.status == 400
    assert (
        client.post("/override", **lock(plans[1], date="2026-03-02", quantity="2", action="save", seen=seen)).status
        == 303
    )
    both = allocator.read(folder / "small", scenario="promo,decided").frame("locks")
    assert sorted(both["quantity"]) == [2.0, 3.0]
    assert both["lock"].is_unique


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"quantity": "some"}, "quantity"),
        ({"quantity": "1.5"}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"date": "2026-05-01"}, "date"),
        ({"lane": "99"}, "lane"),
        ({"kind": "never"}, "kind"),
        ({"reason": " "}, "reason"),
        ({"planner": ""}, "planner"),
        ({"name": "../out"}, "name"),
    ],
)
def test_a_decision_that_does_not_fit_is_said_beside_its_field(
    client: Client, folder: Path, plans: list[str], more: dict[str, str], place: str
) -> None:
    """Rules of the locks table are checked before anything is written."""
    answer = client.post("/override", **lock(plans[0], name="refused") | more)
    assert answer.status == 400
    assert f'id="e-{place}"' in answer.text
    assert not (folder / "refused.toml").exists()


def test_a_network_that_changed_since_is_asked_about(client: Client, folder: Path, plans: list[str]) -> None:
    """The plan's input is no longer what its folder gives: the lock is laid on the new state only when that is confirmed."""
    prices = folder / "small" / "prices.csv"
    whole = prices.read_text(encoding="utf-8")
    try:
        prices.write_text(whole.replace("1.5,0.5", "1.6,0.5"), encoding="utf-8")
        sent = lock(plans[0], name="later", action="save")
        asked = client.post("/override", **sent)
        assert asked.status == 400
        assert 'name="moved"' in asked.text
        assert not (folder / "later.toml").exists()
        assert client.post("/override", **sent, moved="yes").status == 303
        (folder / "small").rename(folder / ".away")
        gone = client.post("/override", **sent)
        assert gone.status == 409
        assert "serve a folder that holds both" in gone.words
    finally:
        if (folder / ".away").exists():
            (folder / ".away").rename(folder / "small")
        prices.write_text(whole, encoding="utf-8")


def working() -> dict[int, int]:
    """Processes of this machine that plan or solve, other tests' too, and each one's parent."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = Path("/proc", entry, "cmdline").read_bytes()
            parent = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if b"allocator.comparison.worker" in text or b"allocator.engine.worker" in text:
            found[int(entry)] = parent
    return found


def children() -> set[int]:
    """Those below this process: a run's, and the solver's below that."""
    found = working()
    mine = {process for process, parent in found.items() if parent == os.getpid()}
    return mine | {process for process, parent in found.items() if parent in mine}


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_cancel_ends_the_processes(client: Client, folder: Path, plans: list[str]) -> None:
    """A run that is cancelled while it works, and one that waits: no process stays, nothing is published."""
    before = children()  # a solver that another file's tests keep in this process
    first, second = (
        client.post("/start", network="small", engine=engine, gap="1").to.partition("=")[2]
        for engine in ("auto", "whole")
    )
    until = time.monotonic() + 60
    while not (seen := children() - before):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert '"state":"waiting"' in client.get("/progress", run=second).text
    seen |= children() - before
    until = time.monotonic() + 60
    for run in (second, first):
        client.post("/cancel", run=run)
    for run in (first, second):
        assert "cancelled" in client.ended(run).words
    while (seen | children() - before) & working().keys():  # the solver dies with its parent, a moment later
        assert time.monotonic() < until
        time.sleep(0.02)
    assert len(list((folder / "plans").glob("small.*"))) == 1


def test_a_failed_run_says_why_and_what_to_do(client: Client, folder: Path, plans: list[str]) -> None:
    """A plan that can't be written: the run's page shows the error and the mend; the queue went on after what was cancelled."""
    kept = folder / "kept"
    (folder / "plans").rename(kept)
    (folder / "plans").write_text("in the way", encoding="utf-8")
    try:
        run = client.post("/start", network="small", scenario="", gap="4").to.partition("=")[2]
        ended = client.ended(run)
    finally:
        (folder / "plans").unlink()
        kept.rename(folder / "plans")
    assert "failed" in ended.words
    assert "run it again" in ended.words


def test_a_second_tab_sees_the_same(client: Client, plans: list[str]) -> None:
    """Another session on the same server, and a form sent twice: the same run, not two."""
    other = Client(client.server)
    runs = {tab.post("/start", network="small", engine="rules", gap="5").to for tab in (client, other)}
    assert len(runs) == 1
    run = runs.pop().partition("=")[2]
    assert "small" in other.get("/run", run=run).words
    other.post("/cancel", run=run)
    assert "cancelled" in client.ended(run).words


def test_a_restarted_server_finds_finished_plans(client: Client, folder: Path, plans: list[str]) -> None:
    """Another server over the folder lists the plans, knows them as answers, and shares no cookie or form with the first."""
    with served(folder) as again:
        page = again.get("/").words
        assert all(place in page for place in plans)
        run = again.post("/start", network="small", scenario="promo.toml").to.partition("=")[2]
        assert "made before from the same input" in again.get("/run", run=run).words
        assert again.ask("GET", "/", Cookie=client.cookie).status == 403


def test_bad_input_is_told_with_its_mend(client: Client, folder: Path) -> None:
    """A network that broke since the page was drawn: every finding, and no run."""
    lots = folder / "small" / "lots.csv"
    whole = lots.read_text(encoding="utf-8")
    try:
        lots.write_text(whole + "M9,beer,DC,1,2026-02-20,,available\n", encoding="utf-8")
        answer = client.post("/start", network="small", scenario="")
    finally:
        lots.write_text(whole, encoding="utf-8")
    assert answer.status == 400
    assert "beer" in answer.words
    assert "lots.csv line" in answer.words
