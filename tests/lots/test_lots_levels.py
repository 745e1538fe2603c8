"""Upstream before downstream, with cycles last but for what hangs on them."""

from __future__ import annotations

import numpy as np

from allocator.lots.levels import levels


def ranked(edges, n):
    """Levels of the edges given as pairs."""
    origin, destination = np.array(edges, dtype=np.int32).T
    return levels(origin, destination, n)


def test_longest_chain_counts():
    """A site's level is the longest same-day chain that leads to it."""
    found = ranked([(0, 1), (1, 2), (0, 2), (0, 2), (2, 3)], 5)
    assert found.of.tolist() == [0, 1, 2, 3, 0]
    assert (found.number, found.cyclic) == (4, -1)


def test_cycles_come_after_all_else_and_before_their_tail():
    """Sites of a cycle share one level, after the others and before the sites they feed."""
    found = ranked([(0, 1), (1, 2), (2, 1), (2, 3), (3, 4), (5, 6), (6, 7)], 8)
    assert found.cyclic == 3
    assert found.of.tolist() == [0, 3, 3, 4, 5, 0, 1, 2]
    assert found.number == 6


def test_two_cycles_in_a_row_share_a_level():
    """What lies between two cycles is served with them."""
    found = ranked([(0, 1), (1, 0), (1, 2), (2, 3), (3, 2), (3, 4)], 5)
    assert found.of.tolist()[:4] == [found.cyclic] * 4
    assert found.of[4] == found.cyclic + 1
