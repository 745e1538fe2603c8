"""Every kind of bad input is reported where it stands, with the rule and the mend."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from allocator.tables import InputError, make_tables, read_tables

Make = Callable[..., Path]

# table, text to find in the good table, what to put there, and what the one finding must say
CELLS = [
    (
        "forecasts",
        "01-05,3,1",
        "01-05,-3,1",
        "forecasts.csv line 2, column mean: '-3' is below 0; give 0 or more (units)",
    ),
    ("forecasts", "01-05,3,1", "01-05,NaN,1", "line 2, column mean: 'NaN' is not a number"),
    ("forecasts", "01-05,3,1", "01-05,inf,1", "column mean: 'inf' is not a number"),
    ("forecasts", "01-05,3,1", "01-05,1e400,1", "column mean: '1e400' is beyond 1e+12"),
    ("forecasts", "01-05,3,1", "01-05,0x10,1", "column mean: '0x10' is not a number"),
    ("forecasts", "01-05,3,1", '01-05,"1,000",1', "column mean: '1,000' is not a number"),
    ("forecasts", "01-05,3,1", "01-05,1_000,1", "column mean: '1_000' is not a number"),
    ("forecasts", "01-05,3,1", "01-05,5%,1", "column mean: '5%' is not a number"),
    ("forecasts", "01-05,3,1", "01-05,2e12,1", "column mean: '2e12' is beyond 1e+12; check the unit"),
    ("forecasts", "01-05,3,1", "01-05,,1", "column mean: is blank; give expected demand"),
    ("forecasts", "01-05,3,1", "01-05,3,-1", "column std: '-1' is below 0"),
    ("forecasts", "2026-01-05", "2026-02-29", "column date: '2026-02-29' is not an ISO day"),
    ("forecasts", "2026-01-05", "05/01/2026", "column date: '05/01/2026' is not an ISO day"),
    ("forecasts", "2026-01-05", "2026-13-01", "column date: '2026-13-01' is not an ISO day"),
    ("forecasts", "2026-01-05", "20260105", "column date: '20260105' is not an ISO day"),
    ("forecasts", "2026-01-05", "2026-01-05T00:00:00", "is not an ISO day"),
    ("forecasts", "2026-01-05", "0026-01-05", "is not an ISO day from 1900 on"),
    ("forecasts", "2026-01-05", "46027", "column date: '46027' is not an ISO day"),
    ("forecasts", "2026-01-05", "", "column date: is blank"),
    ("forecasts", "00123", "123", "column item: '123' is not in items; add it to items, or write '00123'"),
    ("forecasts", "00123", "", "column item: is blank; give the item"),
    ("forecasts", "web,N", "wbe,N", "column channel: 'wbe' is not in channels; add it to channels, or write 'web'"),
    ("forecasts", "web,N", "web,X", "column channel+zone: 'web / X' is served by no site in fulfilment"),
    ("forecasts", "1,2,4", "3,2,4", "line 3, column p50: '2' is below a lower quantile"),
    ("forecasts", "1,2,4", "5,,4", "line 3, column p90: '4' is below a lower quantile"),
    ("orders", "N,2026", "Q,2026", "orders.csv line 2, column channel+zone: 'web / Q' is served by no site"),
    ("orders", "06,4,", "06,3,", "column quantity: '3' is no multiple of the item's quantum 2"),
    ("orders", "06,4,", "06,4,1.5", "column priority: '1.5' is not a whole number"),
    ("items", "2.5,0.1", "-2.5,0.1", "items.csv line 2, column unit_cost: '-2.5' is below 0"),
    ("items", "LIFO", "LOFI", "column rotation: 'LOFI' is not a known rotation; give one of FEFO, FIFO, LIFO"),
    ("items", "LIFO", "lifo", "column rotation: 'lifo' is not a known rotation"),
    ("items", "0,10,", "0,1.5,", "column shelf_life_days: '1.5' is not a whole number"),
    (
        "items",
        "LIFO\n",
        "LIFO\n\u200bnan,fresh,,,,,\n",
        "'\\u200bnan' holds a control or invisible character",
    ),
    ("items", "dry,1,", f"{'x' * 201},1,", "is longer than 200 characters"),
    ("sites", "S1,store", "S1,shop", "sites.csv line 3, column kind: 'shop' is not a known kind"),
    ("sites", "52.5", "95", "column latitude: '95' is above 90"),
    ("sites", "P,supplier,,\n", "P,supplier,,\n*,dc,,\n", "column site: '*' is reserved"),
    ("lanes", "P,D1,,2", "P,D1,,-2", "lanes.csv line 2, column lead_time_days: '-2' is below 0"),
    ("lanes", "P,D1,,2", "P,D1,,2.5", "column lead_time_days: '2.5' is not a whole number"),
    ("lanes", "P,D1,,2", "P,D1,,", "column lead_time_days: is blank"),
    ("lanes", "P,D1,,2", "D1,D1,,2", "column destination: 'D1' is the lane's own origin"),
    ("lanes", "P,D1,,2", "Q,D1,,2", "column origin: 'Q' is not in sites"),
    ("lanes", "1111100", "111110", "column departs: '111110' is not seven of 0 or 1"),
    ("lanes", "1,10,", "1,0,", "column vehicle_volume: '0' is not above 0; give more than 0"),
    ("lanes", "push", "shove", "column method: 'shove' is not a known method"),
    (
        "item_lanes",
        "category:dry",
        "category:dyr",
        "'category:dyr' names a category of no item; give",
    ),
    ("item_lanes", "nan,D1,S1", "nbn,D1,S1", "column item: 'nbn' is not in items"),
    ("item_lanes", "nan,D1,S1", "nan,S1,D1", "column origin+destination+mode: 'S1 > D1 (standard)' is not in lanes"),
    ("item_lanes", "standard,6", "standard,5", "column pack_size: '5' is no multiple of the item's quantum 2"),
    ("item_lanes", "standard,6", "standard,0", "column pack_size: '0' is not above 0"),
    ("item_lanes", "false", "no", "column allowed: 'no' is neither true nor false"),
    ("channels", "backorder", "backorders", "column unmet: 'backorders' is not a known unmet"),
    ("channels", ",3\n", ",-3\n", "column max_wait_days: '-3' is below 0"),
    ("fulfilment", "D1,web,N", "D1,web,N\nD2,web,N", "fulfilment.csv line 3, column site: 'D2' is not in sites"),
    ("prices", "-1,2", ",2", "column margin: is blank"),
    ("prices", "-1,2", "1,-2", "column unmet_cost: '-2' is below 0"),
    ("lots", "D1,10", "D1,10.5", "lots.csv line 2, column quantity: '10.5' is no multiple of the item's quantum 1"),
    ("lots", "D1,10", "D9,10", "column site: 'D9' is not in sites"),
    ("lots", "blocked", "held", "column status: 'held' is not a known status"),
    ("lots", "10,2026-01-01", "10,", "column received_date: is blank"),
    ("receipts", "06,5", "06,5.5", "column quantity: '5.5' is no multiple"),
    ("stock_policies", "2,9", "10,9", "column min_stock: '10' is above max_stock 9; lower it, or raise max_stock"),
    ("stock_policies", "true", "maybe", "column carried: 'maybe' is neither true nor false"),
    ("admission_limits", "*,*,5,", "*,*,,", "column max_units: is blank, and so is max_share"),
    ("admission_limits", "*,*,5,", "*,always,5,", "column date: 'always' is neither an ISO day nor *"),
    ("admission_limits", "*,*,5,", "all,*,5,", "column site: 'all' is not in sites"),
    ("admission_limits", "0.5", "1.5", "column max_share: '1.5' is above 1"),
    ("capacities", "storage", "stowage", "column resource: 'stowage' is not a known resource"),
    (
        "locks",
        "2026-01-06",
        "2026-01-09",
        "column date: '2026-01-09' is outside the horizon; give a day from",
    ),
    ("locks", "standard,2026", "express,2026", "column date: '2026-01-06' is no departing day of the lane"),
    ("locks", "K1,NA", "K1,nan", "column item: 'nan' may not go on this lane; open it in item_lanes"),
    ("item_lanes", "standard,6,", "standard,6,false", "locks.csv line 2, column item: 'NA' may not go on this lane"),
    ("locks", "standard", "rail", "column origin+destination+mode: 'D1 > S1 (rail)' is not in lanes"),
    ("locks", "fix,4", "fix,3", "column quantity: '3' is no multiple"),
    ("locks", "promotion", "", "column reason: is blank; give why"),
]


@pytest.mark.parametrize(("table", "old", "new", "told"), CELLS, ids=[f"{c[0]}-{c[2][:24]!r}" for c in CELLS])
def test_a_bad_cell_is_the_one_finding(
    make: Make, tables: dict[str, str], table: str, old: str, new: str, told: str
) -> None:
    """One bad cell gives one finding, which names table, line, column, value, rule and mend."""
    assert old in tables[table]
    folder = make(**{table: tables[table].replace(old, new, 1)})
    with pytest.raises(InputError) as caught:
        read_tables(folder)
    assert caught.value.total == 1, str(caught.value)
    assert told in str(caught.value.findings[0])


FILES = [
    ("lots", None, "lots: is missing; add lots.csv or lots.parquet with lot, item, site, quantity, received_date"),
    ("lots", "", "lots.csv: has no column names"),
    ("lots", "lot;item;site\n", "lots.csv: is not separated by commas"),
    (
        "lots",
        "lot,item,site,quantity,recieved_date\n",
        "unknown column 'recieved_date'; rename it to received_date",
    ),
    ("lots", "lot,item,site,quantity\n", "lots.csv: has no column received_date; add it"),
    ("lots", "lot,item,site,quantity,received_date,lot\n", "lots.csv: has column lot 2 times"),
    ("lots", b"lot,item,site,quantity,received_date\nL\xe9,NA,S1,2,2026-01-01\n", "lots.csv: is not UTF-8 (line 2)"),
    (
        "lots",
        "lot,item,site,quantity,received_date\nL1,NA,S1,2\n",
        "lots.csv line 2: 'L1,NA,S1,2' has 4 cells",
    ),
    ("lots", 'lot,item,site,quantity,received_date\n"L1,NA,S1,2,2026-01-01\n', "has a quote that is never closed"),
    ("lotz", "lot\n", "lotz.csv: is not a table of a network; rename it to lots.csv"),
    ("zzzzzz", "lot\n", "zzzzzz.csv: is not a table of a network; take it away"),
]


@pytest.mark.parametrize(("table", "content", "told"), FILES, ids=[f"{c[0]}-{str(c[1])[:30]}" for c in FILES])
def test_a_bad_file_is_reported(make: Make, table: str, content: str | bytes | None, told: str) -> None:
    """A file that can't be a table is one fault, and nothing that only follows from it is told."""
    with pytest.raises(InputError) as caught:
        read_tables(make(**{table: content}))
    assert told in str(caught.value.findings[0])
    assert caught.value.total <= 2


KEYS = [
    ('name = "two"', 'nane = "two"', ["key name: is missing", "key nane: is not a setting; rename it to name"]),
    ("2026-01-05", '"tomorrow"', ["key start: 'tomorrow' is not an ISO day"]),
    ("2026-01-05", "2026-01-05T10:00:00", ["is not an ISO day"]),
    ("horizon_days = 4", "horizon_days = 0", ["key horizon_days: '0' is below 1"]),
    ("horizon_days = 4", "horizon_days = 5", ["buckets sum to 4 days, horizon_days is 5"]),
    ("horizon_days = 4", 'horizon_days = "4"', ["key horizon_days: '4' is not a whole number"]),
    ("horizon_days = 4", "horizon_days = true", ["key horizon_days: 'True' is not a whole number"]),
    ("[1, 1, 2]", "[1, 1, 2, 0]", ["key buckets.3: '0' is below 1"]),
    ("seed = 7", "seed = 7\ncommit_days = 0", ["key commit_days: '0' is below 1; give 1 or more"]),
    ("seed = 7", "seed = 7\nchange_cost = -1", ["key change_cost: '-1' is below 0"]),
    ("seed = 7", "seed = 7\nchange_cost = nan", ["key change_cost: 'nan'"]),
    ("seed = 7", "seed = 7\noutlooks = 1.5", ["key outlooks: '1.5' is not a whole number"]),
    ("{ web = 0.5 }", "0.5", ["key min_fill: '0.5' is not a table of channel = share"]),
    ("{ web = 0.5 }", "{ web = 2 }", ["key min_fill.web: '2' is above 1"]),
    ("{ web = 0.5 }", "{ wob = 0.5 }", ["key min_fill.wob: is not in channels; add it to channels, or write 'web'"]),
    ("seed = 7", "seed =", ["network.toml: can't be read"]),
]


@pytest.mark.parametrize(("old", "new", "told"), KEYS, ids=[c[1][:30] for c in KEYS])
def test_a_bad_setting_is_reported(make: Make, old: str, new: str, told: list[str]) -> None:
    """A bad setting is told with its key, its value and the mend."""
    good = (make() / "network.toml").read_text("utf-8")
    assert old in good
    with pytest.raises(InputError) as caught:
        read_tables(make(network=good.replace(old, new)))
    assert caught.value.total == len(told)
    for text, finding in zip(told, caught.value.findings, strict=True):
        assert text in str(finding)


def test_all_faults_come_at_once(make: Make, tables: dict[str, str]) -> None:
    """Faults of settings, files and rows are told together, files first."""
    changed = {
        "lots": tables["lots"].replace("D1,10", "D1,-10"),
        "forecasts": tables["forecasts"].replace("2.5", "x"),
        "orders": "order\n",
    }
    with pytest.raises(InputError) as caught:
        read_tables(make(network="name = 1\n", **changed))
    told = [(finding.table, finding.column) for finding in caught.value.findings]
    assert told[-2:] == [("forecasts", "mean"), ("lots", "quantity")]
    assert {"network", "orders"} <= {table for table, _ in told[:-2]}
    assert str(caught.value).count("\n") == caught.value.total


def test_only_the_first_findings_are_shown_and_all_are_counted(make: Make) -> None:
    """A table that is all wrong is told in twenty lines and a count."""
    rows = "".join(f"NA,walk,S1,2026-01-06,-{i + 1}\n" for i in range(30_000))
    with pytest.raises(InputError) as caught:
        read_tables(make(forecasts="item,channel,zone,date,mean\n" + rows))
    assert caught.value.total == 60_000  # below 0, and each a copy of the others' key
    assert len(caught.value.findings) == 10_000
    assert [finding.row for finding in caught.value.findings[:4]] == [2, 2, 3, 3]
    assert str(caught.value).splitlines()[-1] == "and 59,980 more"


def test_line_numbers_are_those_of_the_file(make: Make, tables: dict[str, str]) -> None:
    """Blank lines and line ends inside quotes do not shift the line that is told."""
    text = 'item,description,quantum\n00123,"two\nlines",1\n\nNA,,2\nnan,,-1\n'
    with pytest.raises(InputError) as caught:
        read_tables(make(items=text, item_lanes=None))
    assert [str(finding).split(":")[0] for finding in caught.value.findings] == ["items.csv line 6, column quantum"]


def test_a_doubled_key_is_told_for_each_copy(make: Make, tables: dict[str, str]) -> None:
    """Codes that are the same once trimmed and composed are one key."""
    with pytest.raises(InputError) as caught:
        read_tables(make(sites=tables["sites"] + " S1 ,dc,,\ncafe\u0301,dc,,\ncaf\u00e9,dc,,\n"))
    told = [
        (finding.row, unicodedata.normalize("NFC", str(finding.value)), finding.rule)
        for finding in caught.value.findings
    ]
    rule = "is a key given more than once"
    assert told == [(3, "S1", rule), (5, "S1", rule), (6, "café", rule), (7, "café", rule)]


def test_a_folder_that_is_none_is_reported(tmp_path: Path) -> None:
    """A path that is no folder is one finding."""
    with pytest.raises(InputError, match=r"is not a folder; give the folder that holds network\.toml"):
        read_tables(tmp_path / "nowhere")


def test_columns_of_mixed_types_are_reported() -> None:
    """A DataFrame column that holds texts and numbers is one finding, not a traceback."""
    settings = {"name": "x", "currency": "EUR", "start": "2026-01-05", "horizon_days": 1}
    with pytest.raises(InputError, match="items: mixes types"):
        make_tables(settings, {"items": pd.DataFrame({"item": ["a", 1]})})


def test_quarantine_of_every_item_leaves_nothing_to_trip_over(make: Make, tables: dict[str, str]) -> None:
    """When no item is left, all that refers to items is set aside too."""
    items = tables["items"].replace(",1,2.5", ",-1,2.5").replace(",2,1,", ",-2,1,").replace("LIFO", "LOFI")
    result = read_tables(make(items=items), quarantine=True)
    assert [name for name in ("items", "lots", "locks", "forecasts", "orders") if result[name].num_rows] == []
