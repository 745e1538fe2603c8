"""Every way in which a scenario can be wrong is told before any solve, with its mend."""

from __future__ import annotations

from pathlib import Path

import pytest

import allocator
from allocator.tables import InputError
from tests.scenario.conftest import Write

SCALE = '[[change]]\ntable = "forecasts"\nwhere = { item = "milk" }\nscale = { mean = 2 }\n'

FAULTS = {
    "no TOML": ("a = ", "can't be read", "write it as TOML"),
    "unknown key": ("[[chnge]]\n", "is not known", "rename it to change"),
    "unknown key of a change": (SCALE + "scal = 2\n", "change 1, column scal: is not known", "rename it to scale"),
    "table missing": ("[[change]]\nset = { mean = 1 }\n", "change 1, column table: is missing", "give it"),
    "unknown table": (SCALE.replace("forecasts", "forecast"), "is not a table of a network", "rename it to forecasts"),
    "unknown column": (SCALE.replace("mean", "meen"), "is no column of forecasts", "rename it to mean"),
    "unknown where": (SCALE.replace("item =", "itm ="), "is no column of forecasts", "rename it to item"),
    "unknown value": (SCALE.replace("milk", "mlik"), "'mlik' matches no row of forecasts", "did you mean milk?"),
    "one of several values": (SCALE.replace('"milk"', '["milk", "beer"]'), "'beer' matches no row", "take it away"),
    "no row": (SCALE.replace('"milk"', '"bulk", zone = "S1"'), "matches no row of forecasts", "look the values up"),
    "key column": (
        SCALE.replace("scale = { mean = 2 }", 'set = { zone = "S2" }'),
        "is part of the key",
        "append another",
    ),
    "no numbers": ('[[change]]\ntable = "lanes"\nscale = { method = 2 }\n', "holds no numbers to scale", "use set"),
    "factor no number": (SCALE.replace("= 2", '= "2"'), "is not a number", "give a number"),
    "text for a number": (
        '[[change]]\ntable = "lanes"\nset = { cost_per_m3 = "1" }\n',
        "is not a number",
        "as a number",
    ),
    "number for a word": ('[[change]]\ntable = "lanes"\nset = { method = 1 }\n', "is not text in quotes", "in quotes"),
    "unknown word": ('[[change]]\ntable = "lanes"\nset = { method = "psh" }\n', "not one of its words", "write push"),
    "no flag": ('[[append]]\ntable = "item_lanes"\nrows = [{ item = "milk", allowed = 1 }]\n', "true or false", "give"),
    "below its bound": ('[[change]]\ntable = "lanes"\nset = { cost_per_m3 = -1 }\n', "is below 0", "give at least 0"),
    "scaled below": (SCALE.replace("= 2", "= -2"), "gives -8, which is below 0", "narrow the where"),
    "not whole": (
        '[[change]]\ntable = "lanes"\nwhere = { mode = "standard" }\nscale = { lead_time_days = 0.5 }\n',
        "gives figures that are not whole",
        "use add or set",
    ),
    "blank cells": ('[[change]]\ntable = "sites"\nscale = { storage_volume = 2 }\n', "only blank cells", "use set"),
    "blank where required": ('[[change]]\ntable = "lots"\nset = { quantity = "" }\n', "is blank", "give on hand"),
    "twice in a change": (SCALE + "set = { mean = 1 }\n", "stands under set too", "make two changes of it"),
    "nothing to do": ('[[change]]\ntable = "lots"\n', "changes nothing", "give set, scale, add or drop"),
    "drop and set": ('[[change]]\ntable = "lots"\ndrop = true\nset = { quantity = 1 }\n', "beside set", "keep one"),
    "append of a bad column": ('[[append]]\ntable = "lots"\nrows = [{ lott = "X" }]\n', "is no column of lots", "lot"),
    "setting unknown": ("[set]\nhorizon_day = 3\n", "is not a setting", "rename it to horizon_days"),
    "setting of a wrong type": ('[set]\nhorizon_days = "x"\n', "is not a whole number", "give a whole number"),
    "sweep of nothing": (SCALE + '[[sweep]]\nname = "x"\nchange = 1\n', "states no series", "from, to and steps"),
    "sweep of no number": (
        SCALE + '[[sweep]]\nname = "x"\nchange = 2\nvalues = [1]\n',
        "no number of the file",
        "1 changes",
    ),
    "sweep too long": (
        SCALE + '[[sweep]]\nname = "x"\nchange = 1\nvalues = [1, 2]\n' * 1,
        "makes 2 networks",
        "name one",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_fault_is_told_with_its_mend(case: str, network: Path, write: Write) -> None:
    """The finding names the file, says what is wrong, and how to mend it; nothing is read."""
    text, rule, mend = FAULTS[case]
    write("wrong", text)
    with pytest.raises(InputError) as caught:
        allocator.read(network, scenario="wrong")
    told = [str(finding) for finding in caught.value.findings]
    assert any(rule in line and mend in line.partition(rule)[2] and line.startswith("wrong.toml") for line in told), (
        told
    )


RESOLVED = {
    "changed row": (
        '[[change]]\ntable = "lots"\nwhere = { lot = "B1" }\nset = { quantity = 2.5 }\n',
        "lots.csv line 5",
        "(changed by wrong.toml, change 1)",
    ),
    "appended row": (
        '[[append]]\ntable = "lots"\n'
        'rows = [{ lot = "X", item = "beer", site = "DC", quantity = 1, received_date = 2026-03-01 }]\n',
        "wrong.toml, append 1 row 1",
        "'beer' is not in items",
    ),
    "appended without what is required": (
        '[[append]]\ntable = "lots"\nrows = [{ lot = "X", item = "milk", quantity = 1, received_date = 2026-03-01 }]\n',
        "wrong.toml, append 1 row 1, column site",
        "is blank",
    ),
    "appended twice": (
        '[[append]]\ntable = "channels"\nrows = [{ channel = "web" }]\n',
        "wrong.toml, append 1 row 1",
        "web",
    ),
    "row left behind": (
        '[[change]]\ntable = "sites"\nwhere = { site = "S2" }\ndrop = true\n',
        "lanes.csv line 3",
        "'S2' is not in sites",
    ),
}


@pytest.mark.parametrize("case", RESOLVED)
def test_resolved_network_keeps_the_tables_rules(case: str, network: Path, write: Write) -> None:
    """A row that breaks a rule only under a scenario is told with the overlay and the place in it."""
    text, where, words = RESOLVED[case]
    write("wrong", text)
    with pytest.raises(InputError) as caught:
        allocator.read(network, scenario="wrong")
    told = [str(finding) for finding in caught.value.findings]
    assert any(where in line and words in line for line in told), told


def test_all_faults_come_at_once(network: Path, write: Write) -> None:
    """Faults of two overlays, of a setting and of the base's own rows stand in one error."""
    write("one", SCALE.replace("milk", "beer"))
    write("two", SCALE.replace("mean", "meen") + "[set]\nhorizon = 1\n")
    lots = (network / "lots.csv").read_text().replace("M1,milk,DC,14", "M1,milk,DC,-14").replace("DC,26", "DC,2.5")
    (network / "lots.csv").write_text(lots)
    with pytest.raises(InputError) as caught:
        allocator.read(network, scenario="one,two")
    told = "\n".join(str(finding) for finding in caught.value.findings)
    assert all(
        part in told
        for part in ("one.toml", "two.toml, change 1", "two.toml, [set]", "lots.csv line 2", "lots.csv line 5")
    )


CLASHES = {
    "same cell": (SCALE, SCALE.replace("= 2", "= 3"), "is changed in 12 cells of forecasts by one.toml too"),
    "same value": (SCALE, SCALE, "is changed in 12 cells"),
    "changed and dropped": (SCALE, SCALE.replace("scale = { mean = 2 }", "drop = true"), "is changed in 12 cells"),
    "same setting": ("[set]\nseed = 1\n", "[set]\nseed = 1\n", "is set by one.toml too"),
}


@pytest.mark.parametrize("case", CLASHES)
def test_two_overlays_may_not_touch_the_same_cell(case: str, network: Path, write: Write) -> None:
    """Which of two overlays would win is never guessed."""
    first, second, words = CLASHES[case]
    write("one", first)
    write("two", second)
    with pytest.raises(InputError) as caught:
        allocator.read(network, scenario="one,two")
    assert any(words in str(finding) for finding in caught.value.findings), str(caught.value)


NAMES = {
    "unknown": ("prom", "is not a scenario of this network; did you mean promo? known here: promo"),
    "twice": ("promo,promo", "is named twice"),
    "no file": ("away/promo.toml", "is not a file"),
    "no member": ("promo:x=1", "is not a member of the family"),
}


@pytest.mark.parametrize("case", NAMES)
def test_unknown_name_lists_the_known_ones(case: str, network: Path, write: Write) -> None:
    """A name that means no scenario is told with those that do."""
    write("promo", SCALE)
    names, words = NAMES[case]
    with pytest.raises(InputError) as caught:
        allocator.read(network, scenario=names)
    assert any(words in str(finding) for finding in caught.value.findings), str(caught.value)


@pytest.mark.parametrize(
    ("base", "words"), [("", "is missing"), ('base = "x"', "is not a folder"), ('base = "b.toml"', "is a scenario")]
)
def test_file_planned_by_itself_needs_its_base(base: str, words: str, network: Path) -> None:
    """A scenario file in place of a network says which network it lies on."""
    path = network.parent / "alone.toml"
    path.write_text(f"{base}\n{SCALE}", encoding="utf-8")
    with pytest.raises(InputError, match="alone") as caught:
        allocator.read(path)
    assert words in str(caught.value)
    if not base:
        assert allocator.read(network, scenario="alone").scenario == ("alone",)
