"""A good network reads the same from any file, in any order, with every blank resolved."""

from __future__ import annotations

import contextlib
import datetime
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from allocator.tables import SCHEMA, InputError, Tables, make_tables, read_tables
from allocator.tables.page import schema_page

Make = Callable[..., Path]


def test_every_table_is_complete_and_canonical(make: Make) -> None:
    """Each table has all columns of the schema in order and type, absent tables included, sorted by key."""
    tables = read_tables(make(capacities=None))
    assert list(tables) == list(SCHEMA)
    for name, spec in SCHEMA.items():
        assert tables[name].schema.equals(spec.arrow), name
        frame = tables.frame(name)
        assert frame.sort_values(spec.keys).index.tolist() == list(range(len(frame)))
        for column in spec.columns:
            if column.kind == "code" and not column.wild:
                assert pd.api.types.is_string_dtype(frame[column.name])  # objects up to pandas 2, str later
            if column.kind == "date" and not column.wild:
                assert frame[column.name].dtype.kind == "M"
    assert tables["capacities"].num_rows == 0


def test_codes_and_defaults(make: Make) -> None:
    """Codes keep zeros, NA and nan are codes, blanks take their defaults, item_lanes inherit."""
    tables = read_tables(make())
    assert tables["items"]["item"].to_pylist() == ["00123", "NA", "nan"]
    assert tables["sites"]["holding_rate"].to_pylist() == [0.2, 0.2, 0.1]
    assert tables["lanes"]["mode"].to_pylist() == ["express", "standard", "standard"]
    assert tables["lanes"]["departs"].to_pylist() == ["0000011", "1111100", "1111111"]
    assert tables["item_lanes"]["allowed"].to_pylist() == [None, False]
    assert tables["item_lanes"]["method"].to_pylist() == [None, None]
    assert tables["admission_limits"]["date"].to_pylist() == ["*", "2026-01-05"]
    assert tables.settings.buckets == (1, 1, 2)
    assert tables.settings.min_fill == {"web": 0.5}
    assert tables.settings.start == datetime.date(2026, 1, 5)


def test_rotation_and_expiry_are_resolved(make: Make) -> None:
    """Shelf life dates lots, and what expires leaves FEFO unless told otherwise."""
    tables = read_tables(make())
    assert tables["items"]["rotation"].to_pylist() == ["FIFO", "FEFO", "LIFO"]
    assert tables["lots"]["expiry_date"].to_pylist() == [None, datetime.date(2026, 1, 12), None]
    assert tables.stated("items")["rotation"].to_pylist() == [None, None, "LIFO"]
    items = tables.frame("items").assign(shelf_life_days=[3, 10, float("nan")], rotation=None)
    later = tables.replace(items=items)
    assert later["items"]["rotation"].to_pylist() == ["FEFO", "FEFO", "FIFO"]
    assert later["lots"]["expiry_date"].to_pylist()[0] == datetime.date(2026, 1, 4)
    assert later["receipts"]["expiry_date"].to_pylist() == [datetime.date(2026, 1, 9)]


def test_csv_parquet_and_memory_agree(make: Make, tmp_path: Path) -> None:
    """The same content read from CSV, from Parquet or from DataFrames has the same hash."""
    tables = read_tables(make())
    other = tmp_path / "other"
    other.mkdir()
    (other / "network.toml").write_bytes((make() / "network.toml").read_bytes())
    for name in SCHEMA:
        pq.write_table(tables.stated(name), other / f"{name}.parquet")
    assert read_tables(other).input_hash == tables.input_hash
    frames = {name: tables.frame(name) for name in SCHEMA}
    assert make_tables(tables.settings, frames).input_hash == tables.input_hash


def test_order_of_rows_and_columns_means_nothing(make: Make, tables: dict[str, str]) -> None:
    """Shuffled rows and columns give the same hash; another figure gives another."""
    first = read_tables(make()).input_hash
    draw, shuffled = random.Random(1), {}
    for name, text in tables.items():
        head, *rows = [line.split(",") for line in text.splitlines()]
        order = draw.sample(range(len(head)), len(head))
        draw.shuffle(rows)
        shuffled[name] = "".join(",".join(row[i] for i in order) + "\r\n" for row in [head, *rows])
    assert read_tables(make(**shuffled)).input_hash == first
    changed = tables["forecasts"].replace("2.5", "2.25")
    assert read_tables(make(forecasts=changed)).input_hash != first


def test_settings_count_in_the_hash(make: Make) -> None:
    """Another seed is another input."""
    tables = read_tables(make())
    settings = tables.settings.model_copy(update={"seed": 8})
    assert tables.replace(settings=settings).input_hash != tables.input_hash


def test_byte_order_mark_and_missing_line_end(make: Make, tables: dict[str, str]) -> None:
    """A byte order mark is passed over; a last row without line end is noted, as it may be cut short."""
    tables_read = read_tables(make(lots=b"\xef\xbb\xbf" + tables["lots"].rstrip("\n").encode()))
    assert tables_read["lots"]["lot"].to_pylist() == ["L1", "L2", "L3"]
    assert tables_read.notes[0] == "lots.csv has no line end after its last row; it may be cut short"


@pytest.mark.parametrize(
    "mean",
    [
        pa.array([3, 4], pa.int8()),
        pa.array([3, 4], pa.uint64()),
        pa.array([3.0, 4.0], pa.float32()),
        pa.array([Decimal("3.00"), Decimal("4.00")], pa.decimal128(9, 2)),
        pa.array(["3", " 4.0 "]),
        pa.array(["3", "4"], pa.large_string()),
        pa.array(["3", "4"]).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
@pytest.mark.parametrize(
    "day",
    [
        pa.array([datetime.date(2026, 1, 5)] * 2),
        pa.array([datetime.date(2026, 1, 5)] * 2, pa.date64()),
        pa.array([datetime.datetime(2026, 1, 5)] * 2, pa.timestamp("ns")),
        pa.array(["2026-01-05"] * 2).dictionary_encode(),
    ],
    ids=lambda array: str(array.type),
)
def test_parquet_types(make: Make, mean: pa.Array, day: pa.Array) -> None:
    """Numbers and days may come in any sensible Parquet type."""
    item = pa.array(["00123", "NA"]).dictionary_encode()
    columns = {"item": item, "channel": ["walk"] * 2, "zone": ["S1"] * 2, "date": day, "mean": mean}
    folder = make(forecasts=None)
    pq.write_table(pa.table(columns), folder / "forecasts.parquet")
    tables = read_tables(folder)
    assert tables["forecasts"]["mean"].to_pylist() == [3.0, 4.0]
    assert tables["forecasts"]["date"].to_pylist() == [datetime.date(2026, 1, 5)] * 2


UNFIT = [
    ("mean", pa.array([float("nan")]), "row 1, column mean: 'nan' is not a number"),
    ("mean", pa.array([True]), "column mean: holds bool, not numbers"),
    ("mean", pa.array([[1.0]]), "column mean: holds list<element: double>, not numbers"),
    ("item", pa.array([1.5]), "column item: holds double, not text"),
    ("item", pa.array([b"NA"]), "column item: holds binary, not text"),
    ("date", pa.array([datetime.datetime(2026, 1, 5, 1)]), "column date: '2026-01-05 01:00:00' is not an ISO day"),
    ("date", pa.array([datetime.datetime(2026, 1, 5)], pa.timestamp("s", "UTC")), "a moment, not a day"),
    ("date", pa.array([46027]), "column date: holds int64, not days"),
]


@pytest.mark.parametrize(("name", "values", "told"), UNFIT, ids=[f"{u[0]}-{u[1].type}" for u in UNFIT])
def test_unfit_parquet_types(make: Make, name: str, values: pa.Array, told: str) -> None:
    """Types that can't hold such values are one finding for the column, bad values one each."""
    columns = {"item": ["NA"], "channel": ["walk"], "zone": ["S1"], "date": ["2026-01-05"], "mean": [1.0]} | {
        name: values
    }
    folder = make(forecasts=None)
    pq.write_table(pa.table(columns), folder / "forecasts.parquet")
    with pytest.raises(InputError) as caught:
        read_tables(folder)
    assert caught.value.total == 1
    assert told in str(caught.value.findings[0])


def test_damaged_parquet_is_one_finding(make: Make) -> None:
    """A file cut short or with flipped bits is refused, never read wrongly."""
    folder = make(forecasts=None)
    path = folder / "forecasts.parquet"
    rows = {"item": ["NA"] * 500, "channel": ["walk"] * 500, "zone": ["S1"] * 500, "mean": list(range(500))}
    rows["date"] = [datetime.date(2026, 1, 1) + datetime.timedelta(days=i) for i in range(500)]
    pq.write_table(pa.table(rows), path, write_page_checksum=True)
    whole = path.read_bytes()
    good = read_tables(folder).input_hash
    for length in range(0, len(whole), 997):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"forecasts\.parquet: can't be read"):
            read_tables(folder)
    for place in range(4, len(whole) - 1200, 211):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with contextlib.suppress(InputError):
            assert read_tables(folder).input_hash == good


def test_a_parquet_bomb_is_not_unpacked(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The footer's row count is held against a cap before anything is read."""
    folder = make(forecasts=None)
    pq.write_table(pa.table({"item": pa.nulls(101, pa.string())}), folder / "forecasts.parquet")
    monkeypatch.setattr("allocator.tables.sources.MAX_ROWS", 100)
    with pytest.raises(InputError, match=r"forecasts\.parquet: would unpack to 101 rows of 1 columns"):
        read_tables(folder)


def test_both_files_of_a_table_are_refused(make: Make) -> None:
    """CSV and Parquet of one table are an error, whichever is right."""
    folder = make()
    pq.write_table(pa.table({"item": ["a"]}), folder / "items.parquet")
    with pytest.raises(InputError, match=r"items: is given twice, as items\.csv and items\.parquet; keep one of them"):
        read_tables(folder)


def test_notes(make: Make, tables: dict[str, str]) -> None:
    """What is allowed but odd is noted, one line each."""
    changed = {
        "lots": tables["lots"] + "L4,NA,D1,2,2025-01-01,,\n",
        "receipts": tables["receipts"] + "R2,NA,D1,2026-01-01,2,\nR3,NA,D1,2027-01-01,2,\n",
        "channels": tables["channels"].replace("backorder,3", "backorder,0"),
        "orders": tables["orders"] + "O2,1,NA,web,N,2026-01-01,2,\nO3,1,NA,web,N,2027-01-01,2,\n",
        "forecasts": tables["forecasts"] + "NA,walk,S1,2026-01-01,1,,,,\nNA,walk,S1,2026-01-09,1,,,,\n",
        "sites": tables["sites"] + "Q,supplier,,\nd1,store,,\n",
        "lanes": tables["lanes"] + "S1,D1,standard,0,,,\n",
    }
    notes = " | ".join(read_tables(make(**changed)).notes)
    for text in (
        "lots: 1 row in quarantine or blocked; not used, but they take room (first: L3)",
        "lots: 1 row expired before the start; not used, but they take room (first: L4)",
        "receipts: 1 row overdue; taken as coming in on the first day (first: R2)",
        "receipts: 1 row after the horizon; not used (first: R3)",
        "orders: 1 row due before the start",
        "orders: 1 row due after the horizon",
        "forecasts: 1 row before the start",
        "forecasts: 1 row after the horizon",
        "channels: 1 row take backorders but wait 0 days",
        "lanes: 1 row charge by vehicle",
        "lanes: some lanes of lead time 0 lead back",
        "sites: 1 row suppliers without lots or receipts; nothing can leave them (first: Q)",
        "sites: site D1 and d1 differ only in capitals",
    ):
        assert text in notes


def test_write_and_load(make: Make, tmp_path: Path) -> None:
    """What is written loads as the same network, and is written again to the same bytes."""
    tables = read_tables(make())
    tables.write(tmp_path / "a")
    loaded = Tables.load(tmp_path / "a")
    assert loaded.input_hash == tables.input_hash
    assert loaded.settings == tables.settings
    assert loaded.notes == tables.notes
    loaded.write(tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name
    (tmp_path / "a" / "network.json").write_text("{}")
    with pytest.raises(InputError, match=r"network\.json: can't be read"):
        Tables.load(tmp_path / "a")


def test_tables_are_frozen(make: Make) -> None:
    """Attributes can't be set, and replace checks what it is given."""
    tables = read_tables(make())
    with pytest.raises(AttributeError, match="use replace"):
        tables.notes = ()
    with pytest.raises(InputError, match=r"lots row 1, column item: 'NA' is not in items"):
        tables.replace(items=pd.DataFrame({"item": ["00123"]}), lots=tables["lots"].slice(1, 1))
    assert tables["items"].num_rows == 3


def test_the_schema_page_is_current() -> None:
    """docs/tables.md is what the schema says; make it again if this fails."""
    page = Path(__file__).parents[2] / "docs" / "tables.md"
    assert page.read_text("utf-8") == schema_page()


def test_days_far_off(make: Make, tables: dict[str, str]) -> None:
    """A year of 9999 means what it says, in Arrow and in pandas."""
    lots = tables["lots"].replace("2026-01-01,,", "2026-01-01,9999-12-31,")
    read = read_tables(make(lots=lots))
    assert read["lots"]["expiry_date"].to_pylist()[0] == datetime.date(9999, 12, 31)
    assert read.frame("lots")["expiry_date"].dt.year.tolist()[0] == 9999
    items = tables["items"].replace("0.1,,", "0.1,900000000,")
    assert read_tables(make(items=items))["lots"]["expiry_date"].to_pylist()[0] == datetime.date(9999, 12, 31)


def test_a_header_alone_is_an_empty_table(make: Make, tables: dict[str, str]) -> None:
    """A table without rows is fine, with or without a line end after its header."""
    for text in ("order,line,item,channel,zone,due_date,quantity", "order,line,item,channel,zone,due_date,quantity\n"):
        assert read_tables(make(orders=text))["orders"].num_rows == 0
