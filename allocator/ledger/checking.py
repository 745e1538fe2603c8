"""What a ledger's own transactions must satisfy, and the stock of a network to compare it with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from allocator.ledger.replay import PLACE, overdrafts
from allocator.ledger.transactions import days, millionths, units
from allocator.tables import Tables


def check_rows(rows: pd.DataFrame) -> list[str]:
    """Check all transactions of a ledger: nothing below zero at any time, nothing taken back that was not there."""
    broken = [str(short) for short in overdrafts(rows)]
    back = rows[(rows["reverses"] != "") & (rows["kind"] != "release")]
    whole = rows.set_index("id")["millionths"]
    known = back["reverses"].isin(whole.index)
    broken += [
        f"transaction {row} takes back {of}, which is not there"
        for row, of in back.loc[~known, ["id", "reverses"]].itertuples(index=False)
    ]
    total = back[known].groupby("reverses")["millionths"].sum()
    over = total[-total > whole.reindex(total.index)]
    broken += [f"transaction {of}: {units(-int(much))} were taken back, more than it was" for of, much in over.items()]
    return broken


def lots_of(network: Tables, on: str | None) -> tuple[pd.DataFrame, str]:
    """Lots on hand of a network (item, lot, site, millionths), and the day they are of: its start unless told otherwise."""
    start = network.settings.start.isoformat() if on is None else on
    lots = network.frame("lots")
    here = lots[days(lots["received_date"]) <= start]
    frame = here[PLACE].astype(object).assign(millionths=millionths(here["quantity"], len(here)))
    return frame[frame["millionths"].to_numpy(np.int64) != 0].reset_index(drop=True), start
