"""Tables are written as they are, whatever form their words have in memory."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import allocator.plan.publish
from allocator.plan.publish import write_table


def frame(rows=7):
    """Draw a table with every kind of column, blanks included."""
    words = ["A", None, "B"]
    return pd.DataFrame(
        {
            "item": pd.Series([words[k % 3] for k in range(rows)], dtype="str"),
            "date": pd.to_datetime(["2025-10-06", None, "2025-10-08"] * rows)[:rows].astype("datetime64[s]"),
            "quantity": [float(k) for k in range(rows)],
            "committed": [k % 2 == 0 for k in range(rows)],
        }
    )


def written(table: pd.DataFrame, path: Path) -> bytes:
    """Write a table and give the file's bytes."""
    write_table(table, path)
    return path.read_bytes()


def test_coded_words_give_the_bytes_of_plain_ones(tmp_path):
    """Words as str, object or category are one column in the file: text, with blanks kept."""
    plain = frame()
    bytes_of = written(plain, tmp_path / "a.parquet")
    for kind in ("category", object):
        assert written(plain.astype({"item": kind}), tmp_path / "b.parquet") == bytes_of
    back = pq.read_table(tmp_path / "a.parquet")
    assert back.schema.types == [pa.string(), pa.date32(), pa.float64(), pa.bool_()]
    assert back["item"].to_pylist() == ["A", None, "B", "A", None, "B", "A"]


def test_row_groups_follow_one_another(tmp_path, monkeypatch):
    """A table of several row groups reads back whole, and an empty one keeps its columns."""
    monkeypatch.setattr(allocator.plan.publish, "GROUP", 3)
    written(frame(), tmp_path / "a.parquet")
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.num_row_groups == 3
    assert pq.read_table(tmp_path / "a.parquet")["quantity"].to_pylist() == list(range(7))
    written(frame(0), tmp_path / "b.parquet")
    assert pq.read_schema(tmp_path / "b.parquet").names == ["item", "date", "quantity", "committed"]
