"""Properties of the reader that hold for any content."""

from __future__ import annotations

import csv
import datetime
import io
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allocator.tables import InputError, Tables, make_tables, read_tables

SETTINGS = {"name": "any", "currency": "EUR", "start": "2026-01-05", "horizon_days": 7}
CODES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=6).map(str.strip).filter(bool)
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def networks(draw: st.DrawFn) -> dict[str, dict[str, list[Any]]]:
    """Items, one site each way, lots and forecasts with any codes and figures."""
    unique = CODES.map(lambda word: unicodedata.normalize("NFC", word))
    unique = unique.filter(lambda word: word != "*" and not word.startswith("category:") and word == word.strip())
    items = draw(st.lists(unique, min_size=1, max_size=6, unique=True))
    site, channel = draw(unique), draw(unique)
    days = st.dates(datetime.date(1950, 1, 1), datetime.date(2200, 1, 1))
    figures = st.floats(0, 1e9, allow_subnormal=False)
    lots = draw(st.lists(st.tuples(st.sampled_from(items), figures, days), max_size=8))
    demand = draw(st.lists(st.tuples(st.sampled_from(items), days, figures), max_size=8, unique_by=lambda r: r[:2]))
    return {
        "items": {"item": items, "quantum": [0.0] * len(items)},
        "sites": {"site": [site], "kind": ["dc"]},
        "lanes": {"origin": [], "destination": [], "lead_time_days": []},
        "channels": {"channel": [channel]},
        "fulfilment": {"site": [site], "channel": [channel], "zone": ["Z"]},
        "forecasts": {
            "item": [row[0] for row in demand],
            "channel": [channel] * len(demand),
            "zone": ["Z"] * len(demand),
            "date": [row[1] for row in demand],
            "mean": [row[2] for row in demand],
        },
        "lots": {
            "lot": [f"L{i}" for i in range(len(lots))],
            "item": [row[0] for row in lots],
            "site": [site] * len(lots),
            "quantity": [row[1] for row in lots],
            "received_date": [row[2] for row in lots],
        },
    }


def _write_csv(columns: dict[str, list[Any]], path: Path) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    path.write_bytes(text.getvalue().encode())


@QUICK
@given(networks())
def test_round_trip(network: dict[str, dict[str, list[Any]]]) -> None:
    """CSV, Parquet and memory agree, and writing and loading changes nothing."""
    typed = {name: pa.table(columns) for name, columns in network.items()}
    made = make_tables(SETTINGS, typed)
    assert made["items"]["item"].to_pylist() == sorted(network["items"]["item"], key=str.encode)
    assert sorted(made["lots"]["quantity"].to_pylist()) == sorted(network["lots"]["quantity"])
    with tempfile.TemporaryDirectory() as place:
        texts, files, plan = (Path(place) / name for name in ("csv", "parquet", "plan"))
        for folder in (texts, files):
            folder.mkdir()
            lines = (
                f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
                for key, value in SETTINGS.items()
            )
            (folder / "network.toml").write_text("\n".join(lines))
        for name, columns in network.items():
            _write_csv(columns, texts / f"{name}.csv")
            pq.write_table(typed[name], files / f"{name}.parquet")
        made.write(plan)
        for tables in (read_tables(texts), read_tables(files), Tables.load(plan)):
            assert tables.input_hash == made.input_hash


@QUICK
@given(st.lists(st.lists(st.text(max_size=8), min_size=5, max_size=5), max_size=6))
def test_any_cells_are_read_or_reported(rows: list[list[str]]) -> None:
    """Whatever text stands in the cells, the answer is tables or findings, and quarantine always goes on."""
    names = ["lot", "item", "site", "quantity", "received_date"]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    base = {"items": {"item": ["A"]}, "sites": {"site": ["D"], "kind": ["dc"]}, "lots": columns}
    tables = {name: pa.table({k: pa.array(v, pa.string()) for k, v in part.items()}) for name, part in base.items()}
    kept = make_tables(SETTINGS, tables, quarantine=True)
    aside = kept.quarantined
    assert kept["lots"].num_rows + aside["row"].nunique() == len(rows)
    if len(aside) == 0:
        assert make_tables(SETTINGS, tables).input_hash == kept.input_hash
        return
    with pytest.raises(InputError) as caught:
        make_tables(SETTINGS, tables)
    assert caught.value.total >= aside["row"].nunique()
