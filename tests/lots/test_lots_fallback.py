"""When the rotation rule lets the plan down, the planned classes take over."""

from __future__ import annotations

import numpy as np
import pytest

from allocator.lots import Reason, Rule, assign_with_fallback
from tests.lots.cases import lots_of, moves_of

DAYS = np.arange(6, dtype=np.int32)
# Item 0 by LIFO: the store needs life 5 on day 2, and the fresh lot would go to the first comer.
STOCK = lots_of((0, 0, 5, -9, 2, 0, 0), (0, 0, 5, -1, 9, 1, 0), (1, 0, 5, 0, 9, 2, 0))
MOVES = moves_of((0, 0, -1, 0, 0, 0, 5, -1), (0, 0, -1, 2, 0, 7, 5, -1), (1, 0, -1, 0, 0, 0, 3, -1))
CLASSES = moves_of(
    (0, 0, -1, 0, 0, 0, 3, 2), (0, 0, -1, 0, 0, 0, 2, 2), (0, 0, -1, 2, 0, 7, 5, 9), (1, 0, -1, 0, 0, 0, 3, 9)
)
PARENT = np.array([0, 0, 1, 2])
LIFO = np.array([Rule.LIFO, Rule.FIFO], dtype=np.int8)


def test_only_the_failing_item_falls_back():
    """The item left short is redone by class, the other keeps its rule."""
    result = assign_with_fallback(STOCK, MOVES, CLASSES, PARENT, LIFO, np.ones(2), DAYS, np.zeros(2))
    assert result.fell_back.tolist() == [0]
    assert result.unfilled.tolist() == [0, 0, 0]
    assert result.reason.tolist() == [Reason.NONE] * 3
    assert result.pieces.move.tolist() == [0, 0, 1, 2]
    assert result.pieces.lot.tolist() == [0, 0, 1, 2]
    assert result.pieces.rule.tolist() == [Rule.PLANNED] * 3 + [Rule.FIFO]
    assert len(result.waste) == 0
    assert set(result.closing.item.tolist()) == {0, 1}


def test_more_waste_than_planned_falls_back():
    """An item that is served but wastes more than planned is redone by class."""
    first = moves_of((0, 0, -1, 0, 0, 0, 5, -1))
    classes = moves_of((0, 0, -1, 0, 0, 0, 5, 2))
    parent = np.zeros(1, dtype=int)
    kept = assign_with_fallback(STOCK, first, classes, parent, LIFO, np.ones(2), DAYS, np.array([5.0, 0]))
    assert kept.fell_back.tolist() == []
    assert kept.waste.quantity.tolist() == [5]
    redone = assign_with_fallback(STOCK, first, classes, parent, LIFO, np.ones(2), DAYS, np.zeros(2))
    assert redone.fell_back.tolist() == [0]
    assert len(redone.waste) == 0


def test_classes_that_serve_worse_are_not_used():
    """An item short by rotation and shorter still by class keeps its rotation."""
    wrong = CLASSES.take(np.array([0, 1, 2, 3]))
    wrong.planned_class[:3] = 4
    result = assign_with_fallback(STOCK, MOVES, wrong, PARENT, LIFO, np.ones(2), DAYS, np.zeros(2))
    assert result.fell_back.tolist() == []
    assert result.unfilled.tolist() == [0, 5, 0]


def test_parent_must_fit():
    """A class move that belongs to another item's move is refused."""
    with pytest.raises(ValueError, match="expected the item of its parent, found another in row 3"):
        assign_with_fallback(STOCK, MOVES, CLASSES, np.zeros(4, int), LIFO, np.ones(2), DAYS, np.zeros(2))
