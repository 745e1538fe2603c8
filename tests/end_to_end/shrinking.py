"""Cut a failing network down to the few rows that make it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.end_to_end.case import Case

Fails = Callable[[Case], bool]
BLANKS = ("policies", "notes")
KEPT = {
    "item",
    "site",
    "channel",
    "zone",
    "date",
    "quantity",
    "kind",
    "origin",
    "destination",
    "mode",
    "lot",
    "receipt",
}


def shrink(case: Case, fails: Fails, tries: int = 400) -> Case:
    """Drop tables, rows and cells for as long as the network still fails.

    ``fails`` must be False for a network that the reader refuses.
    """
    left = [tries]

    def still(candidate: Case) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(candidate)

    before = None
    while before != case and left[0] > 0:
        before = case
        for candidates in (_without_rows, _plainer_settings, _blank_cells):
            case = _descend(case, candidates, still)
    return case


def _descend(case: Case, candidates: Callable[[Case], Iterator[Case]], still: Fails) -> Case:
    found = True
    while found:
        found = False
        for candidate in candidates(case):
            if still(candidate):
                case, found = candidate, True
                break
    return case


def _without_rows(case: Case) -> Iterator[Case]:
    for name, rows in case.tables.items():
        if len(rows) > 1:
            yield case.having(**{name: ()})
    for name, rows in case.tables.items():
        size = len(rows) // 2
        while size >= 1:
            for first in range(0, len(rows), size):
                yield case.having(**{name: rows[:first] + rows[first + size :]})
            size //= 2


def _plainer_settings(case: Case) -> Iterator[Case]:
    for name in ("min_fill", "change_cost", "previous_plan"):
        if case.settings.get(name):
            yield case.setting(**{name: None})
    buckets = case.settings["buckets"]
    if len(buckets) > 1:
        yield case.setting(buckets=buckets[:-1], horizon_days=sum(buckets[:-1]))
    if max(buckets) > 1:
        yield case.setting(buckets=[1] * sum(buckets))
    if case.settings["commit_days"] > 1:
        yield case.setting(commit_days=1)


def _blank_cells(case: Case) -> Iterator[Case]:
    for name, rows in case.tables.items():
        for column in dict.fromkeys(key for row in rows for key in row if key not in KEPT):
            if any(row.get(column) is not None for row in rows):
                yield case.having(**{name: tuple(row | {column: None} for row in rows)})
