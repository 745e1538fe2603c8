"""Input without meaning is refused with the row and the mend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocator.lots import assign
from tests.lots.cases import lots_of, moves_of

STOCK = lots_of((0, 0, 5, 0, 9, 0, 0))
MOVES = moves_of((0, 0, 1, 1, 1, 2, 3, -1), (0, 0, -1, 1, 0, 2, 3, -1))
DAYS = np.arange(3, dtype=np.int32)


def ints(*values):
    """Make an int32 column."""
    return np.array(values, dtype=np.int32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stock": replace(STOCK, item=ints(1))}, "expected 0 to 0, found 1 in stock.item, row 0"),
        ({"stock": replace(STOCK, available_bucket=ints(3))}, "expected 0 to 2, found 3 in stock.available_bucket"),
        ({"stock": replace(STOCK, quantity=np.array([np.nan]))}, "expected 0 or more, found nan in stock.quantity"),
        (
            {"stock": replace(STOCK, quantity=np.array([0.5]))},
            "found 0.5 quanta in row 0 of stock",
        ),
        ({"stock": replace(STOCK, quantity=np.array([1e15]))}, r"expected at most 2\*\*45 quanta of an item"),
        ({"stock": replace(STOCK, lot=ints(1, 2))}, r"found shape \(2,\) in stock.lot"),
        ({"moves": replace(MOVES, quantity=np.array([3, 1.01]))}, "found 1.01 quanta in row 1 of moves"),
        (
            {"moves": replace(MOVES, quantity=np.array([3.0, -1]))},
            "found -1.0 in moves.quantity, row 1",
        ),
        ({"moves": replace(MOVES, arrive_bucket=ints(0, -1))}, "expected the bucket it leaves or later, found 0"),
        ({"moves": replace(MOVES, arrive_bucket=ints(2, 2))}, "expected -1 for an admission, found 2"),
        ({"moves": replace(MOVES, destination=ints(0, -1))}, "expected two different sites, found 0"),
        ({"moves": replace(MOVES, bucket=ints(1, 7))}, "expected 0 to 2, found 7 in moves.bucket, row 1"),
        ({"rotation": np.array([3], np.int8)}, "found 3 in rotation, row 0"),
        ({"quantum": np.array([-1.0])}, "expected 0 or more, found -1.0 in quantum"),
        ({"quantum": np.ones(2)}, "expected one quantum per item"),
        ({"bucket_last_day": ints(1, 1, 2)}, "expected bucket_last_day to rise"),
    ],
)
def test_refused(changes, message):
    """Each rule names what was expected, what was found, and where."""
    args = {"stock": STOCK, "moves": MOVES, "rotation": np.zeros(1, np.int8), "quantum": np.ones(1)}
    args = {**args, "bucket_last_day": DAYS, **changes}
    with pytest.raises(ValueError, match=message):
        assign(**args)
