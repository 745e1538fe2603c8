"""Networks in databases: the same network, the same findings, one moment, and nothing else read or run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.databases import connect, parse_address
from allocator.tables import InputError, read_tables
from allocator.tables.database import opened_database
from allocator.tables.findings import Faults
from allocator.tables.schema import SCHEMA
from tests.database_networks import fill, put

Make = Callable[..., Path]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a network, in each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'net work.db'}"
    schema: Callable[[], str] = request.getfixturevalue("postgres_schema")
    return schema()


def _run(url: str, *statements: str) -> None:
    with connect(parse_address(url)) as session, session.transaction():
        for statement in statements:
            session.run(statement)


def _findings(url: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_tables(url)
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize(("typed", "document"), [(True, False), (False, True)])
def test_same_network_as_the_folder(make: Make, url: str, typed: bool, document: bool) -> None:
    """A network has the same hash from its folder and from a database, whatever the types of the columns."""
    folder = make()
    put(folder, url, typed, document)
    there, here = allocator.read(url), allocator.read(folder)
    assert there.input_hash == here.input_hash
    assert there.settings == here.settings
    for name in SCHEMA:
        assert there[name].equals(here[name])
    assert there.notes == here.notes


def test_bad_cells_give_the_findings_of_the_folder(make: Make, url: str) -> None:
    """Every broken cell is found with the column, value, rule and mend that the CSV file gets."""
    folder = make(
        lots="lot,item,site,quantity,received_date,status\nL1,00123,D1,many,2026-01-01,\nL2,nix,S1,-4,2026-02-30,\nL2,NA,S1,4,2026-01-02,lost\n",
        lanes="origin,destination,lead_time_days\nP,D1,1.5\nD1,S1,inf\n",
    )
    put(folder, url, typed=False)
    with pytest.raises(InputError) as csv:
        read_tables(folder)
    with pytest.raises(InputError) as database:
        read_tables(url)

    def told(error: InputError) -> set[tuple[Any, ...]]:
        return {(f.table, f.column, f.value, f.rule.partition(" line")[0], f.mend) for f in error.findings}

    assert told(database.value) == told(csv.value)
    assert database.value.total >= 6
    assert all(finding.source == finding.table for finding in database.value.findings)


def test_rows_are_counted_in_the_order_of_the_key(make: Make, url: str) -> None:
    """The row of a finding is the row's place in the order of the table's key, whatever order the database keeps."""
    header = "lot,item,site,quantity,received_date\n"
    folder = make(lots=header + "L3,NA,S1,2,2026-01-02\nL1,NA,S1,-2,2026-01-02\nL2,NA,S1,2,2026-01-02\n")
    put(folder, url)
    assert [finding.partition(";")[0] for finding in _findings(url)] == ["lots row 1, column quantity: '-2' is below 0"]


def test_quarantine_sets_rows_aside(make: Make, url: str) -> None:
    """Bad rows of a database are set aside as those of a folder."""
    put(make(), url, typed=False)
    _run(url, "UPDATE lots SET quantity = '-1' WHERE lot = 'L1'")
    tables = read_tables(url, quarantine=True)
    assert tables.quarantined[["table", "column", "value"]].to_numpy().tolist() == [["lots", "quantity", "-1"]]


NO_DAYS = {
    "TIMESTAMP WITH TIME ZONE": "lots, column received_date: holds timestamp with time zone: a moment, not a day",
    "JSONB": "lots, column received_date: holds jsonb",
    "BYTEA": "lots, column received_date: holds bytea",
    "TEXT[]": "lots, column received_date: holds text[]",
    "INTERVAL": "lots, column received_date: holds interval",
    "BOOLEAN": "lots, column received_date: holds bool, not days",
    "NUMERIC": "is not an ISO day",
    "TIMESTAMP": "'2026-01-01 12:30:00' is not an ISO day",
}


def test_types_that_hold_no_day(make: Make, postgres_schema: Callable[[], str]) -> None:
    """A column of PostgreSQL of another type than its cells is one finding, never a guess."""
    url = postgres_schema()
    put(make(), url)
    values = {"BOOLEAN": "true", "NUMERIC": "20260101", "TIMESTAMP": "TIMESTAMP '2026-01-01 12:30'"}
    for kind, told in NO_DAYS.items():
        _run(url, f"ALTER TABLE lots ALTER received_date TYPE {kind} USING {values.get(kind, 'NULL')}")
        assert told in "\n".join(_findings(url))


def test_numbers_come_as_written(make: Make, postgres_schema: Callable[[], str]) -> None:
    """Exact, single and odd numbers of PostgreSQL are read as a CSV file would give them, or told."""
    url = postgres_schema()
    put(make(), url)
    _run(
        url,
        "ALTER TABLE items ALTER unit_volume TYPE REAL",
        "UPDATE items SET unit_cost = 0.1000000000000000055511151231257827 WHERE item = 'NA'",
    )
    items = allocator.read(url).frame("items").set_index("item")
    assert items.loc["00123", "unit_volume"] == 0.1
    assert items.loc["NA", "unit_cost"] == 0.1
    for value in ("NaN", "1e400"):
        _run(url, f"UPDATE items SET unit_cost = '{value}' WHERE item = 'NA'")
        assert any("items row 2, column unit_cost" in line for line in _findings(url))


def test_days_at_the_ends_of_time(make: Make, postgres_schema: Callable[[], str]) -> None:
    """Infinite days and days before the common era are told, each with its value."""
    url = postgres_schema()
    put(make(), url)
    for value in ("infinity", "0044-03-15 BC"):
        _run(url, f"UPDATE lots SET received_date = '{value}' WHERE lot = 'L1'")
        assert _findings(url)[0].startswith(f"lots row 1, column received_date: '{value}' is not an ISO day")


def test_cells_of_several_types_in_one_sqlite_column(make: Make, tmp_path: Path) -> None:
    """SQLite keeps any type in any column: numbers as text and text among numbers are read as written, bytes are told."""
    url = f"sqlite:///{tmp_path / 'n.db'}"
    put(make(), url, typed=False)
    _run(
        url,
        "CREATE TABLE t (lot, item, site, quantity, received_date)",
        "INSERT INTO t SELECT lot, item, site, quantity, received_date FROM lots",
    )
    _run(
        url,
        "UPDATE t SET quantity = 10 WHERE lot = 'L1'",
        "UPDATE t SET quantity = 4.5 WHERE lot = 'L3'",
        "DROP TABLE lots",
        "ALTER TABLE t RENAME TO lots",
    )
    assert allocator.read(url).frame("lots")["quantity"].tolist() == [10.0, 4.0, 4.5]
    _run(url, "UPDATE lots SET quantity = x'00ff' WHERE lot = 'L1'")
    assert "lots, column quantity: holds binary, not numbers" in _findings(url)[0]


def test_what_is_no_table_of_a_network(make: Make, url: str) -> None:
    """Tables of others are left alone, also under names that would be SQL; one that spells an absent table otherwise is told."""
    put(make(orders=None), url)
    with connect(parse_address(url)) as session, session.transaction():
        fill(session, 'lots"; DROP TABLE items; --', ["a"], [["1"]])
        fill(session, "customers", ["a"], [["1"]])
        fill(session, "order", ["a"], [["1"]])
    assert "not read: table order (did you mean orders?)" in allocator.read(url).notes
    with connect(parse_address(url)) as session, session.transaction():
        fill(session, "Orders", ["a"], [["1"]])
    assert _findings(url) == ["Orders: is not a table of a network; rename it to orders"]


def test_missing_tables_and_columns(make: Make, url: str) -> None:
    """Missing tables, missing columns and columns that are not in the schema are told as for files; a view may stand in."""
    put(make(), url)
    _run(url, "DROP TABLE lots", "ALTER TABLE items RENAME TO goods")
    assert _findings(url) == [
        "items: is missing; add a table or view items with item",
        "lots: is missing; add a table or view lots with lot, item, site, quantity, received_date",
    ]
    _run(url, "CREATE VIEW items AS SELECT item, 1 AS colour FROM goods", "CREATE VIEW lots AS SELECT 'L' AS lot")
    told = "\n".join(_findings(url))
    assert "items: has the unknown column 'colour'" in told
    assert "lots: has no column quantity" in told


BAD_SETTINGS: list[tuple[list[list[str | None]], str]] = [
    ([["start", "tomorrow"]], "network row 1, key start: 'tomorrow' is no value of TOML"),
    ([["start", "2026-01-05\nname = 'x'"]], "is no value of TOML"),
    ([["start", "2026-01-05"], ["start", "2026-01-05"]], "network row 2, key start: '2026-01-05' is given twice"),
    ([["horizon_days", None]], "network row 1, key horizon_days: is blank"),
    ([["colour", "1"]], "network, key colour: is not a setting"),
    ([["previous_plan", "../old"]], "network, key previous_plan: '../old' is no absolute path"),
]


def test_bad_settings(make: Make, url: str) -> None:
    """Settings of a database are told by key."""
    put(make(), url)
    for rows, told in BAD_SETTINGS:
        with connect(parse_address(url)) as session, session.transaction():
            session.run("DROP TABLE network")
            fill(session, "network", ["key", "value"], rows)
        assert told in "\n".join(_findings(url))


def test_settings_of_another_form(make: Make, url: str) -> None:
    """No table of settings, one of other columns, and two documents are told with the mend."""
    put(make(), url)
    _run(url, "INSERT INTO network SELECT document FROM network")
    assert _findings(url) == ["network: holds 2 documents; keep one row"]
    _run(url, "DROP TABLE network")
    assert _findings(url)[0].startswith("network: is missing; give it the columns key and value")
    _run(url, "CREATE TABLE network (name TEXT)")
    assert _findings(url)[0].startswith("network: has the columns name; give it the columns key and value")


def test_a_text_too_long_is_told_and_not_fetched(make: Make, url: str) -> None:
    """Of a text of ten million characters only the beginning comes over, and it is still too long."""
    put(make(), url)
    with connect(parse_address(url)) as session, session.transaction():
        session.run("UPDATE items SET category = CAST(? AS TEXT) WHERE item = 'NA'", "x" * 10_000_000)
    with opened_database(parse_address(url)) as database:
        raw = database.find(Faults())["items"](SCHEMA["items"], Faults())
        assert raw is not None
        assert raw.cells.nbytes < 200_000
    assert "items row 2, column category: 'xxxxxxx" in _findings(url)[0]


def test_all_tables_are_of_one_moment(make: Make, url: str) -> None:
    """What others commit while tables are read is not seen."""
    put(make(), url)
    if url.startswith("sqlite"):
        _run(url, "PRAGMA user_version = 1")
    with opened_database(parse_address(url)) as database:
        found = database.find(Faults())
        found["items"](SCHEMA["items"], Faults())
        _run(url, "DELETE FROM lots")
        raw = found["lots"](SCHEMA["lots"], Faults())
        assert raw is not None
        assert raw.cells.num_rows == 3


def test_reading_changes_nothing(make: Make, tmp_path: Path) -> None:
    """A database that may only be read is read, and a missing one is not made."""
    path = tmp_path / "n.db"
    put(make(), f"sqlite:///{path}")
    with connect(parse_address(f"sqlite:///{path}")) as session:
        session.run("PRAGMA journal_mode=DELETE")
    before = path.read_bytes()
    path.chmod(0o400)
    allocator.read(f"sqlite:///{path}")
    assert path.read_bytes() == before
    told = _findings(f"sqlite:///{tmp_path / 'none.db'}")
    assert told[0].startswith(f"sqlite:///{tmp_path / 'none.db'}: can't be read (there is no such file")
    assert not (tmp_path / "none.db").exists()
    path.chmod(0o600)
    path.write_bytes(b"no database" * 1000)
    assert "file is not a database" in _findings(f"sqlite:///{path}")[0]


def test_no_message_holds_the_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server that does not answer is one finding without the password; an address that holds one is refused."""
    pytest.importorskip("adbc_driver_postgresql")
    monkeypatch.setenv("NET", f"postgresql://me:ge%20heim@/db?host={tmp_path}&sslpassword=tief")
    told = "\n".join(_findings("env:NET"))
    assert "can't be read" in told
    assert "heim" not in told
    assert "tief" not in told
    told = "\n".join(_findings("postgresql://me:geheim@host/db"))
    assert "holds a password" in told
    assert "geheim" not in told


def test_scenarios_lie_on_a_database(make: Make, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario of the working folder is laid on a network that is named by its address."""
    put(make(), url)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "more.toml").write_text(
        '[[change]]\ntable = "lots"\nscale = { quantity = 2.0 }\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert allocator.read(url, scenario="more").frame("lots")["quantity"].tolist() == [20.0, 8.0, 9.0]
