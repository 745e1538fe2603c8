"""Why not another quantity: agrees with planning the whole network again with that quantity locked, and says whom it is taken from."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import allocator
from allocator.cli.explain import command
from allocator.explain.counterfactual import Change, Instead, Nearby
from allocator.generate import generate

GAP = 0.005


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A made-up network with tight capacities, planned."""
    folder = tmp_path_factory.mktemp("instead")
    generate(items=8, stores=5, days=7, channels=2, dcs=1, seed=5, tight=0.3, out=folder)
    return allocator.solve(allocator.read(folder), gap=1e-4)


@pytest.fixture(scope="module")
def pair(plan):
    """The item and store that most is shipped to."""
    stores = plan.network.frame("sites").query("kind == 'store'")["site"]
    inside = plan.shipments[plan.shipments["destination"].isin(stores)]
    return inside.groupby(["item", "destination"], observed=True)["quantity"].sum().idxmax()


def locked(plan, row, quantity):
    """Cost of the whole network planned again with one shipment locked at a quantity."""
    lock = {
        "lock": "WHY",
        "item": row["item"],
        "origin": row.origin,
        "destination": row.destination,
        "mode": row["mode"],
    }
    lock |= {"date": row.ship_date, "kind": "fix", "quantity": quantity, "reason": "asked", "planner": "test"}
    locks = plan.network.frame("locks")
    mine = pd.DataFrame([lock])
    changed = plan.network.replace(locks=pd.concat([locks, mine]) if len(locks) else mine)
    return allocator.solve(changed, gap=1e-4)


def agree(plan, count, seed):
    """Ask about sampled shipments, each with another quantity, and plan the whole network with that quantity locked."""
    draw = np.random.default_rng(seed)
    end = plan.network.settings.start + pd.Timedelta(days=plan.network.settings.horizon_days)
    inside = plan.shipments[plan.shipments["arrive_date"] < pd.Timestamp(end)]
    for place in draw.choice(len(inside), size=count, replace=False):
        row = inside.iloc[place]
        step = row.quantity / max(row.packs, 1.0)
        target = max(row.quantity + step * int(draw.choice([-2, -1, 1, 2])), 0.0)
        told = plan.explain(
            row["item"], row.destination, target, origin=row.origin, date=row.ship_date.date().isoformat()
        )
        answer = told.instead
        assert answer.planned == pytest.approx(row.quantity)
        whole = locked(plan, row, answer.reached).certificate["objective"] - plan.certificate["objective"]
        room = GAP * abs(plan.certificate["objective"])
        assert answer.cost == pytest.approx(whole, abs=room), (row.to_dict(), target)


def test_an_answer_agrees_with_the_whole_network_locked(plan):
    """Two sampled questions cost what the whole network planned again with that quantity costs more, within the gap."""
    agree(plan, 2, seed=1)


@pytest.mark.long
def test_twenty_answers_agree_with_the_whole_network_locked(plan):
    """Twenty sampled questions agree within the gap."""
    agree(plan, 20, seed=2)


def test_the_planned_quantity_costs_nothing(plan, pair):
    """Asked for what the plan brings, the answer is the plan: no cost, no change beyond the plan's own gap."""
    answer = plan.explain(*pair, instead=plan.explain(*pair).shipped_in).instead
    assert answer.base == "plan"
    assert answer.reached == pytest.approx(answer.planned)
    assert answer.cost == pytest.approx(0.0, abs=1e-4 * abs(plan.certificate["objective"]) + 0.01)
    assert "is what the plan brings" in answer.verdict()


def test_more_is_taken_from_somebody(plan, pair):
    """What one store gets more, others and stock have less: changes of what is received, kept and served add up."""
    planned = plan.explain(*pair).shipped_in
    answer = plan.explain(*pair, instead=planned + 8).instead
    assert answer.reached > answer.planned
    assert answer.changes
    kept = sum(one.more for one in answer.changes if one.what in ("keeps at the end", "waste"))
    served = sum(one.more for one in answer.changes if one.what == "serves")
    on_the_way = kept + served
    assert abs(on_the_way) <= answer.reached + 1e-6
    assert answer.cost == pytest.approx(sum(answer.parts.values()), abs=0.01)


def test_the_impossible_says_how_much_can_be_had(plan, pair):
    """A quantity no stock can cover is answered with the most that can be brought."""
    answer = plan.explain(*pair, instead=1e6).instead
    assert answer.reached < 1e6
    assert "is the most that can" in answer.verdict()


def test_the_range_is_told(plan, pair):
    """Nearby quantities have costs that are not negative beyond the gap, and the range of worth follows from them."""
    answer = plan.explain(*pair, instead=0).instead
    assert len(answer.nearby) >= 2
    assert min(one.cost for one in answer.nearby) > -1e-4 * abs(plan.certificate["objective"]) - 0.01
    assert "stays the best while a unit" in answer.range_lines()[0]


def made(**figures):
    """An answer of given figures."""
    plain = {"site": "S1", "origin": None, "date": None, "asked": 12.0, "planned": 10.0, "reached": 12.0, "cost": 3.0}
    rest = {"parts": {"freight": 3.0}, "changes": [Change("S2", "receives", 4.0, 2.0)], "nearby": [Nearby(11.0, 1.0)]}
    return Instead(**{**plain, **rest, "base": "plan", "currency": "EUR", **figures})


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, "12 instead of 10 would cost 3.00 EUR, 1.50 EUR a unit; it would be the better plan once a unit at S1 were worth over 1.50 EUR more."),
        ({"asked": 8.0, "reached": 8.0}, "worth over 1.50 EUR less."),
        ({"cost": 0.0}, "would cost the same"),
        ({"cost": -1.0}, "would be worth 1.00 EUR more: the plan is the best only within its proven gap."),
        ({"reached": 10.0, "cost": 0.0}, "10 is the most that can (packs, stock, capacity, departures). That is what the plan brings."),
        ({"origin": "DC", "date": "2026-03-02"}, "12 instead of 10 from DC sent on Monday 2 Mar would cost"),
    ],
)  # fmt: skip
def test_the_verdict_in_words(figures, words):
    """What it costs, what would make it best, and what can't be had are said plainly."""
    assert words in made(**figures).verdict()


def test_changes_and_ranges_in_words():
    """Who has less, and in which range of worth the plan stays the best."""
    answer = made(nearby=[Nearby(9.0, 0.5), Nearby(11.0, 1.0), Nearby(12.0, 3.0)])
    assert answer.change_lines() == ["S2 receives 2 fewer (4 to 2)"]
    assert answer.range_lines()[0] == (
        "10 stays the best while a unit at S1 is worth at most 1.00 EUR more and at most 0.50 EUR less than it is"
    )
    assert answer.cost_lines() == ["freight: +3.00 EUR"]


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"instead": -1.0}, "0 or more units"),
        ({"instead": 1.0, "origin": "nowhere"}, "did you mean|the first is"),
        ({"instead": 1.0, "date": "1999-01-01"}, "leaves on 1999-01-01"),
        ({"instead": 1.0, "date": "soon"}, "expected a day as YYYY-MM-DD, found 'soon'"),
    ],
)
def test_bad_questions_are_refused(plan, pair, asked, hint):
    """A negative quantity, an unknown origin and a day without departures are refused with the mend."""
    with pytest.raises(ValueError, match=hint):
        plan.explain(*pair, **asked)


def test_a_site_without_lanes_is_refused(plan):
    """A supplier gets nothing by lane, so nothing else can be asked."""
    site = plan.network.frame("sites").query("kind == 'supplier'")["site"].iloc[0]
    with pytest.raises(ValueError, match="gets receipts only"):
        plan.explain(plan.network.frame("items")["item"].iloc[0], site, instead=5)


def test_the_command_line_answers_and_writes_the_report(plan, pair, tmp_path):
    """--instead and --json give the answer as data, --report puts it first in the closer look."""
    folder = plan.write(tmp_path / "plan")
    report = tmp_path / "report.html"
    asked = [str(folder), "--item", pair[0], "--site", pair[1], "--instead", "0"]
    ran = CliRunner().invoke(command, [*asked, "--report", str(report), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["instead"]["asked"] == 0.0
    assert "Why not another quantity" in plan.explain(*pair, instead=0).text()
    page = report.read_text(encoding="utf-8")
    first = page[page.index('id="why-1"') :]
    assert "another quantity asked" in first[: first.index("</summary>")]
