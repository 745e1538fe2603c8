"""What happened outside any plan, from a CSV file: one row a transaction, each under a reference of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from allocator.ledger.transactions import KINDS, LARGEST, LedgerError, does, identified, transactions

RECORDED = tuple(name for name, kind in KINDS.items() if kind.recorded)
REQUIRED = ("reference", "kind", "item", "lot", "quantity", "date")
OPTIONAL = ("from", "to", "arrive_date", "received_date", "expiry_date", "reason", "planner")
_NAMED = ("kind", "reference", "item", "lot", "from_place", "to_place", "date")
_SHOWN = 20


def read_recorded(path: Path) -> pd.DataFrame:
    """Read transactions that people or other systems state.

    Parameters
    ----------
    path : Path
        CSV with the columns reference, kind, item, lot, quantity, date, and from, to, arrive_date, received_date, expiry_date, reason,
        planner where they say something.

    Raises
    ------
    LedgerError
        With every row that breaks a rule.
    """
    try:
        options = pacsv.ConvertOptions(strings_can_be_null=False)
        names = pacsv.open_csv(path, convert_options=options).schema.names if path.stat().st_size else []
        options.column_types = dict.fromkeys(names, pa.string())
        table = pacsv.read_csv(path, convert_options=options) if names else pa.table({})
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise LedgerError(
            f"{path.name} can't be read ({str(error).splitlines()[0][:200]}); write it again as CSV"
        ) from None
    strange = [name for name in table.column_names if name not in (*REQUIRED, *OPTIONAL)]
    missing = [name for name in REQUIRED if name not in table.column_names]
    if strange or missing or len(set(table.column_names)) < table.num_columns:
        what = (
            f"has the unknown column {strange[0]!r}"
            if strange
            else f"has no column {missing[0]}"
            if missing
            else "has a column twice"
        )
        raise LedgerError(f"{path.name} {what}; its columns are {', '.join((*REQUIRED, *OPTIONAL))}")
    frame = table.to_pandas().astype(object)
    for name in OPTIONAL:
        if name not in frame:
            frame[name] = ""
    frame = frame.apply(lambda column: column.str.strip()) if len(frame) else frame
    return _checked(frame, path.name)


def _checked(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    kind = frame["kind"]
    leaves, comes = (does(kind, what).eq(True) for what in ("leaves", "arrives"))
    quantity = pd.to_numeric(frame["quantity"], errors="coerce")
    twice = frame.duplicated(list(REQUIRED[:1])) & (frame["reference"] != "")
    rules = [
        (~kind.isin(RECORDED), "kind", f"is not one of {', '.join(RECORDED)}"),
        *((frame[name] == "", name, "is blank") for name in ("reference", "item", "lot")),
        (twice, "reference", "stands in an earlier row too; give each row its own"),
        (~(quantity > 0) | ~(quantity <= LARGEST), "quantity", "is not a number above 0; give units"),
        (~_is_day(frame["date"]), "date", "is not a day; write it as 2026-01-31"),
        *(
            (
                (frame[name] != "") & ~_is_day(frame[name]),
                name,
                "is not a day; write it as 2026-01-31, or leave it blank",
            )
            for name in ("arrive_date", "received_date", "expiry_date")
        ),
        (
            (frame["arrive_date"] != "") & (frame["arrive_date"] < frame["date"]),
            "arrive_date",
            "is before date; mend one of them",
        ),
        (leaves & (frame["from"] == ""), "from", "is blank; give the site that the goods leave"),
        (comes & (frame["to"] == ""), "to", "is blank; give the site that the goods come to"),
        (
            ~leaves & (frame["from"] != "") & kind.isin(RECORDED),
            "from",
            "is given, but nothing leaves a site; leave it blank",
        ),
    ]
    told = [
        f"{source} line {row + 2}, column {column}: {str(frame[column].iloc[row])[:80]!r} {rule}"
        for mask, column, rule in rules
        for row in np.flatnonzero(mask.to_numpy())[:_SHOWN]
    ]
    if told:
        more = [f"and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
        raise LedgerError("\n".join([f"{source} breaks its rules; nothing was posted", *told[:_SHOWN], *more]))
    values: dict[str, Any] = {
        name: frame[name]
        for name in ("kind", "item", "lot", "date", "received_date", "expiry_date", "reason", "planner", "reference")
    }
    arrive = np.where(comes, frame["arrive_date"].where(frame["arrive_date"] != "", frame["date"]), "")
    values |= {
        "from_place": frame["from"],
        "to_place": frame["to"],
        "arrive_date": arrive,
        "quantity": quantity,
        "status": "available",
    }
    rows = transactions(values, len(frame), "recorded")
    return rows.assign(id=identified(rows, "recorded", _NAMED))


def _is_day(column: pd.Series[str]) -> pd.Series[bool]:
    shaped = column.str.fullmatch(r"(19|[2-9]\d)\d\d-\d\d-\d\d")
    return shaped & pd.to_datetime(column.where(shaped), format="%Y-%m-%d", errors="coerce").notna()
