"""Values that follow from other tables: expiry dates from shelf life, rotation from expiry."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from allocator.tables.convert import coded
from allocator.tables.draft import Draft
from allocator.tables.keys import positions

_LAST_DAY = np.datetime64("9999-12-31").astype(int)
RESOLVED = ("items", "lots", "receipts")


def resolve(drafts: dict[str, Draft]) -> dict[str, Draft]:
    """Return the drafts with expiry dates and rotation filled.

    A lot or receipt without a date expires `shelf_life_days` after it was received, or never. An item without a
    rotation leaves FEFO if any of its lots or receipts expires, else FIFO.
    """
    done = dict(drafts)
    done["lots"] = _with_expiry(drafts["lots"], "received_date", drafts["items"])
    done["receipts"] = _with_expiry(drafts["receipts"], "date", drafts["items"])
    done["items"] = _with_rotation(drafts["items"], done["lots"], done["receipts"])
    return done


def _with_expiry(draft: Draft, received: str, items: Draft) -> Draft:
    if not len(draft):
        return draft
    where = positions([draft["item"]], [items["item"]])
    life = np.append(items.figures("shelf_life_days"), np.nan)[where]
    stated = draft.figures("expiry_date")
    day = np.where(np.isnan(stated), draft.figures(received) + life, stated)
    never = np.isnan(day)
    whole = np.minimum(np.where(never, 0, day), _LAST_DAY).astype(np.int32)
    return _replaced(draft, "expiry_date", pa.array(whole, mask=never).cast(pa.date32()))


def _with_rotation(items: Draft, lots: Draft, receipts: Draft) -> Draft:
    if not len(items):
        return items
    expires = np.zeros(len(items) + 1, bool)
    for draft in (lots, receipts):
        expires[positions([draft["item"]], [items["item"]])[draft.filled("expiry_date")]] = True
    expires[-1] = False
    words = pa.concat_arrays([items.words("rotation"), pa.array(["FEFO", "FIFO"])])
    first = len(words) - 2
    index = items.index("rotation")
    index = np.where(index < 0, np.where(expires[:-1], first, first + 1), index)
    return _replaced(items, "rotation", coded(words, index))


def _replaced(draft: Draft, name: str, column: pa.Array) -> Draft:
    return Draft(draft.spec, {**draft.columns, name: column}, draft.rows, draft.source)
