"""With quarantine, bad rows and what hangs on them are set aside and listed; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from allocator.tables import InputError, Tables, read_tables

Make = Callable[..., Path]


def test_a_good_network_sets_nothing_aside(make: Make) -> None:
    """Without bad rows the result is the same as without quarantine."""
    tables = read_tables(make(), quarantine=True)
    assert tables.input_hash == read_tables(make()).input_hash
    assert len(tables.quarantined) == 0
    assert list(tables.quarantined.columns) == ["table", "row", "column", "value", "rule", "mend"]


def test_rows_that_refer_to_bad_rows_follow(make: Make, tables: dict[str, str], tmp_path: Path) -> None:
    """A bad site takes its lanes, their item rules, locks, lots and what it served with it."""
    sites = tables["sites"].replace("S1,store", "S1,shop")
    result = read_tables(make(sites=sites), quarantine=True)
    aside = result.quarantined
    told = sorted(set(zip(aside["table"], aside["row"], strict=True)))
    assert told == [
        ("forecasts", 3),
        ("fulfilment", 3),
        ("item_lanes", 2),
        ("item_lanes", 3),
        ("lanes", 3),
        ("lanes", 4),
        ("locks", 2),
        ("lots", 3),
        ("sites", 3),
        ("stock_policies", 2),
    ]
    assert aside[aside["table"] == "sites"].iloc[0].to_dict() == {
        "table": "sites",
        "row": 3,
        "column": "kind",
        "value": "shop",
        "rule": "is not a known kind",
        "mend": "give one of supplier, plant, dc, store",
    }
    assert result["sites"]["site"].to_pylist() == ["D1", "P"]
    result.write(tmp_path / "plan")
    loaded = Tables.load(tmp_path / "plan")
    assert loaded.input_hash == result.input_hash
    assert loaded.quarantined.equals(aside)


def test_every_row_is_kept_or_listed(make: Make, tables: dict[str, str]) -> None:
    """Cells that can't be read, ragged rows and copies of a key are all set aside; no row vanishes."""
    rows = "00123,web,N,2026-01-07,x,,,,\n00123,web,N,2026-01-08,1\n"
    rows += "NA,walk,S1,2026-01-06,9,,,,\n\nNA,walk,S1,2026-01-07,9,,,,\n"
    result = read_tables(make(forecasts=tables["forecasts"] + rows), quarantine=True)
    aside = result.quarantined
    assert aside["row"].tolist() == [3, 4, 5, 6]
    assert set(aside["table"]) == {"forecasts"}
    assert result["forecasts"]["mean"].to_pylist() == [3.0, 9.0]


def test_order_of_rows_does_not_change_what_is_kept(make: Make, tables: dict[str, str]) -> None:
    """Which copy of a key comes first decides nothing."""
    head, *rows = (tables["prices"] + "00123,web,5,5\n").splitlines(keepends=True)
    first = read_tables(make(prices=head + "".join(rows)), quarantine=True)
    second = read_tables(make(prices=head + "".join(reversed(rows))), quarantine=True)
    assert first.input_hash == second.input_hash
    assert first["prices"].num_rows == 0


def test_faults_of_files_and_settings_still_stop(make: Make) -> None:
    """What is wrong with a whole file or the settings can't be set aside."""
    with pytest.raises(InputError, match="lots: is missing"):
        read_tables(make(lots=None), quarantine=True)
    with pytest.raises(InputError, match="horizon_days"):
        read_tables(make(network='name = "x"\ncurrency = "EUR"\nstart = 2026-01-05\n'), quarantine=True)
