"""The picture of a split: every unit that the plan pushes or holds back is in a bar, and all bars have one scale."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

import allocator
from allocator.plan.plan import Plan
from benchmarks.backtests import season
from benchmarks.split_picture import COLOURS, MOST_STORES, ROW, chosen, draw, rows_of

OTHERS = 3


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A warehouse that holds some back from more stores than get a bar each."""
    tables = season(stores=MOST_STORES + OTHERS, units=300)
    changed = {
        name: tables.frame(name).assign(channel="store") for name in ("channels", "fulfilment", "prices", "forecasts")
    }
    items = tables.frame("items").assign(description="QUICK SOUP")
    settings = tables.settings.model_copy(update={"outlooks": 3})
    return allocator.solve(tables.replace(settings=settings, items=items, **changed), gap=0.05)


def test_every_unit_of_the_split_has_a_place(plan: Plan) -> None:
    """Stores without a bar of their own are added up in one."""
    labels, units = rows_of(plan, chosen(plan.split))
    assert labels[-1] == f"{OTHERS} other stores"
    assert len(labels) == 1 + MOST_STORES + 1
    for kind in ("pushed", "reserved"):
        assert plan.split[kind].sum() > 0
        assert sum(v for (_, what, _), v in units.items() if what == kind) == pytest.approx(plan.split[kind].sum())


def test_bars_have_one_scale(plan: Plan) -> None:
    """Widths by colour are the units by kind and channel, times one factor."""
    _, units = rows_of(plan, "A")
    expected = dict.fromkeys(COLOURS.values(), 0.0)
    for (_, what, channel), amount in units.items():
        expected[COLOURS[what, channel]] += amount
    root = ElementTree.fromstring(draw(plan, "A"))
    drawn = dict.fromkeys(expected, 0.0)
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        if float(bar.get("height", "0")) == ROW - 6:
            drawn[str(bar.get("fill"))] += float(bar.get("width", "0"))
    factor = sum(drawn.values()) / sum(expected.values())
    assert factor > 0
    assert drawn == pytest.approx({colour: amount * factor for colour, amount in expected.items()}, abs=0.2)
