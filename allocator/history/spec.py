"""The columns of a sales history, declared as every input table is."""

from __future__ import annotations

from dataclasses import replace

from allocator.tables.columns import Column, TableSpec, amount, code, date

HISTORY = TableSpec(
    "history",
    "What customers asked for: one row a sales or order line, or one a day; rows of one day are added up.",
    (
        code("item", "the item"),
        code("channel", "the sales channel"),
        code("zone", "where the demand is (a store's walk-in demand has zone = the store)"),
        date("date", "day of the sale"),
        amount("quantity", "asked for; leave returns out", "units"),
        code("order", "the order the line belongs to; blank = the line is an order of its own", optional=True),
        Column(
            "in_stock",
            "flag",
            "false = stock ran out that day: what was sold is less than what was asked for, or not known",
            default=True,
        ),
    ),
    open=True,
)
"""Sales history, one definition for every command that reads one."""


def history_spec(columns: dict[str, str], channel: str | None) -> TableSpec:
    """Declare the history as one file names its columns.

    Parameters
    ----------
    columns : dict of str to str
        The file's own name for a column of `HISTORY`: ``{"quantity": "bottles"}``.
    channel : str or None
        Channel of all rows, where the file has no such column.

    Raises
    ------
    ValueError
        For a name that is no column of the history, or a name given to two columns.
    """
    unknown = [name for name in columns if name not in HISTORY.names]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a column of a history; they are {', '.join(HISTORY.names)}")
    named = tuple(replace(column, name=columns.get(column.name, column.name)) for column in HISTORY.columns)
    names = [column.name for column in named]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{twice[0]!r} would be two columns of the history; name each column of the file once")
    if channel is not None:
        at = HISTORY.names.index("channel")
        named = (*named[:at], replace(named[at], default=channel), *named[at + 1 :])
    return replace(HISTORY, columns=named)
