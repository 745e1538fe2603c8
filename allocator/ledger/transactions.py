"""What a transaction is: its kinds, its columns, its id, and its quantity in whole millionths of a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.plan.ledger import hexed, keys_of

UNIT = 1_000_000
"""Millionths of a unit: what quantities are kept in, so that sums are exact."""
SLACK = UNIT // 10_000
"""Millionths: continuous quantities are rounded one by one, so that a sum may be a few of them off what was meant."""
LARGEST = 1e12
"""Units of one transaction, as in the tables."""


@dataclass(frozen=True)
class Kind:
    """One kind of transaction.

    Attributes
    ----------
    about : str
    leaves, arrives : bool
        Whether stock leaves ``from_place`` on ``date``, and comes to ``to_place`` on ``arrive_date``.
    counted : bool
        It holds from the morning of its day on; all others happen in the course of the day.
    recorded : bool
        People and other systems may record it; all others come from plans.
    """

    about: str
    leaves: bool = False
    arrives: bool = False
    counted: bool = False
    recorded: bool = False


KINDS: dict[str, Kind] = {
    "opening": Kind("stock of a lot when its item first came into the ledger", arrives=True, counted=True),
    "receipt": Kind("goods that came in from outside", arrives=True, recorded=True),
    "shipment": Kind("a lot sent from site to site by a plan", leaves=True, arrives=True),
    "admission": Kind("a lot allocated to a channel's demand in a zone by a plan", leaves=True),
    "waste": Kind("a lot that expired or was thrown away", leaves=True, recorded=True),
    "transfer": Kind("a lot sent from site to site outside any plan", leaves=True, arrives=True, recorded=True),
    "sale": Kind("a lot sold outside any plan", leaves=True, recorded=True),
    "return": Kind("goods that came back from a customer", arrives=True, recorded=True),
    "found": Kind("more of a lot was counted than the ledger knew", arrives=True, counted=True, recorded=True),
    "lost": Kind("less of a lot was counted than the ledger knew", leaves=True, counted=True, recorded=True),
    "reservation": Kind("stock held back for a channel by a plan"),
    "release": Kind("a reservation given up, because a later plan reserved anew"),
    "override": Kind("a shipment that a planner decided (table locks)"),
}
"""All kinds. A reversal has the kind and the places of what it takes back, in ``reverses`` that one's id, and a quantity below 0."""

TEXTS = (
    *(
        "id",
        "kind",
        "plan",
        "input_hash",
        "item",
        "lot",
        "from_place",
        "to_place",
        "date",
        "arrive_date",
        "received_date",
    ),
    *("expiry_date", "status", "channel", "reverses", "reference", "reason", "planner"),
)
COLUMNS = (*TEXTS, "millionths")
"""Columns of a transaction: texts (empty where they say nothing, days as YYYY-MM-DD), and the quantity."""
NAMED = tuple(name for name in TEXTS if name not in ("id", "input_hash", "reason"))
"""What an id is made of: all that says which transaction it is, never its quantity."""


class LedgerError(ValueError):
    """What the ledger refuses; nothing was posted."""


def does(kind: pd.Series[str], what: str) -> pd.Series[Any]:
    """Whether each kind ``leaves``, ``arrives``, is ``counted`` or ``recorded``; NaN for one that is not known."""
    return kind.map({name: getattr(one, what) for name, one in KINDS.items()})


def transactions(rows: Mapping[str, Any], count: int, key: str, ids: pd.Series[str] | None = None) -> pd.DataFrame:
    """Make transactions of columns or single values.

    Parameters
    ----------
    rows : mapping
        Values of columns; columns not given are empty. ``quantity`` [units] is turned into millionths.
    count : int
        How many there are.
    key : str
        What keys their ids: the plan's id, or a word for what comes from elsewhere.
    ids : Series, optional
        Ids they have already.

    Raises
    ------
    LedgerError
        For a quantity that is no number or too large.
    """
    frame = pd.DataFrame({name: _text(rows.get(name, ""), count) for name in TEXTS if name != "id"})
    frame["millionths"] = millionths(rows["quantity"], count)
    frame.insert(0, "id", identified(frame, key) if ids is None else ids.to_numpy(dtype=object))
    return frame[list(COLUMNS)]


def identified(frame: pd.DataFrame, key: str, named: Sequence[str] = NAMED) -> NDArray[Any]:
    """Deterministic ids of transactions, 32 hex digits each, from what names them."""
    return np.asarray(hexed(*keys_of(frame[list(named)], key)).to_numpy(dtype=object))


def millionths(quantity: Any, count: int) -> NDArray[np.int64]:
    """Quantities as whole millionths of a unit.

    Raises
    ------
    LedgerError
        For NaN, infinities, and more than `LARGEST` units.
    """
    plain = np.broadcast_to(np.asarray(quantity, dtype=np.float64), count)
    if not (np.abs(plain) <= LARGEST).all():
        raise LedgerError(f"a quantity is not a number up to {LARGEST:.0e}; check the unit")
    return np.rint(plain * UNIT).astype(np.int64)


def units(whole: int) -> str:
    """Millionths as a person writes units."""
    text = f"{whole / UNIT:,.6f}" if abs(whole) < 1 << 53 else f"{whole // UNIT:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Transactions of several makers in one frame."""
    filled = [frame for frame in frames if len(frame)]
    return (
        pd.concat(filled, ignore_index=True)
        if filled
        else pd.DataFrame({name: [] for name in COLUMNS}).astype(
            dict.fromkeys(TEXTS, object) | {"millionths": np.int64}
        )
    )


def days(column: Any) -> NDArray[Any]:
    """Days as YYYY-MM-DD, empty where there is none."""
    stamps = pd.to_datetime(pd.Series(column)).to_numpy().astype("datetime64[D]")
    text = np.datetime_as_string(stamps).astype(object)
    text[np.isnat(stamps)] = ""
    return np.asarray(text, dtype=object)


def _text(value: Any, count: int) -> NDArray[Any]:
    if isinstance(value, str):
        return np.full(count, value, dtype=object)
    return np.asarray(pd.Series(value).astype(object).fillna("").to_numpy(), dtype=object)
