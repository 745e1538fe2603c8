"""A sales history is read by one definition of its columns, and added up to days."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from allocator.history import HISTORY, daily, read_history
from allocator.tables import InputError

LINES = """item,channel,zone,date,quantity,order,in_stock
B,shop,S1,2026-03-04,2,O2,true
00123,shop,S1,2026-03-02,3,O1,true
00123,shop,S1,2026-03-02,4,O2,true
00123,shop,S1,2026-03-03,1,O3,false
"""


def _written(folder: Path, text: str, name: str = "sales.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_are_read_sorted_with_codes_as_text(tmp_path: Path) -> None:
    """Codes keep their zeros, rows are sorted, and absent columns take their defaults."""
    frame = read_history(_written(tmp_path, LINES)).frame
    assert frame["item"].tolist() == ["00123", "00123", "00123", "B"]
    assert frame["order"].tolist() == ["O1", "O2", "O3", "O2"]
    assert list(frame.columns) == HISTORY.names
    again = read_history(frame.drop(columns=["order", "in_stock"]))
    assert again.frame["in_stock"].all()
    assert again.frame["quantity"].tolist() == frame["quantity"].tolist()


def test_own_names_and_a_constant_channel(tmp_path: Path) -> None:
    """A file's own column names are mapped, one channel may be stated, and what is not used is noted."""
    path = _written(tmp_path, "date,store,item,bottles,dollars\n2026-03-02,S1,A,3,9.5\n")
    history = read_history(path, {"zone": "store", "quantity": "bottles"}, "shop")
    assert history.frame.loc[0, ["channel", "zone", "quantity"]].tolist() == ["shop", "S1", 3.0]
    assert history.notes == ("not used: column dollars",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("item,channel,zone,date\nA,c,z,2026-03-02\n", "sales.csv: has no column quantity"),
        (
            "item,channel,zone,date,quantity\nA,c,z,02/03/2026,1\n",
            "line 2, column date: '02/03/2026' is not an ISO day",
        ),
        ("item,channel,zone,date,quantity\nA,c,z,2026-03-02,-1\n", "line 2, column quantity: '-1' is below 0"),
        ("item,channel,zone,date,quantity\n,c,z,2026-03-02,1\n", "line 2, column item: is blank; give the item"),
        ("item,channel,zone,date,quantity,In Stock\nA,c,z,2026-03-02,1,1\n", "rename it to in_stock"),
        ("item,channel,zone,date,quantity\n", "sales.csv: holds no sales"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    """Every broken row is reported as for any other table."""
    with pytest.raises(InputError) as caught:
        read_history(_written(tmp_path, text))
    assert told in str(caught.value)


def test_columns_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    """A mapping that names no column, or one column twice, is an error of the call."""
    path = _written(tmp_path, LINES)
    with pytest.raises(ValueError, match="'shop' is not a column of a history"):
        read_history(path, {"shop": "store"})
    with pytest.raises(ValueError, match="'zone' would be two columns"):
        read_history(path, {"item": "zone"})
    with pytest.raises(InputError, match=r"neither \.csv nor \.parquet"):
        read_history(tmp_path / "sales.xlsx")


def test_days_are_added_up_with_zeros_between(tmp_path: Path) -> None:
    """Lines of one day are one figure; a day without one is 0, unknown before the first sale and while stock was out."""
    grid = daily(read_history(_written(tmp_path, LINES)))
    assert grid.keys["item"].tolist() == ["00123", "B"]
    assert (grid.first, grid.end) == (dt.date(2026, 3, 2), dt.date(2026, 3, 5))
    np.testing.assert_array_equal(grid.demand, [[7, 1, 0], [0, 0, 2]])
    np.testing.assert_array_equal(grid.known, [[True, False, True], [False, False, True]])


def test_later_lines_are_not_looked_at(tmp_path: Path) -> None:
    """The grid before a day does not depend on what came from that day on."""
    history = read_history(_written(tmp_path, LINES))
    early = daily(history, dt.date(2026, 3, 4))
    assert early.keys["item"].tolist() == ["00123"]
    assert early.end == dt.date(2026, 3, 4)
    cut = daily(history).until(dt.date(2026, 3, 4))
    np.testing.assert_array_equal(cut.demand, early.demand)
    pd.testing.assert_frame_equal(cut.keys, early.keys)
    with pytest.raises(ValueError, match="no sales before 2026-03-02"):
        daily(history, dt.date(2026, 3, 2))
