"""Stock by lot, rebuilt from the opening stock and the transactions in whole millionths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.ledger.transactions import KINDS, SLACK, LedgerError, does, units

PLACE = ["item", "lot", "site"]
_EVER = "9999-12-31"


def effects(rows: pd.DataFrame) -> pd.DataFrame:
    """What transactions do to stock: item, lot, site, day, phase (0 morning, 1 coming in, 2 leaving), millionths, expiry_date, received_date, status."""
    kind = rows["kind"]
    leaves, arrives, counted = (does(kind, what) for what in ("leaves", "arrives", "counted"))
    if kind.map(KINDS.keys().__contains__).eq(False).any():
        raise LedgerError("the ledger holds a kind of transaction that this version does not know; update the program")
    sides = []
    for mask, site, day, sign, phase in (
        (leaves, "from_place", "date", -1, 2),
        (arrives, "to_place", "arrive_date", 1, 1),
    ):
        part = rows[mask.astype(bool).to_numpy()]
        morning = counted[part.index].to_numpy(dtype=bool)
        arrived = part["kind"].isin(("opening", "found")) & (part["received_date"] != "")
        sides.append(
            pd.DataFrame(
                {
                    "item": part["item"],
                    "lot": part["lot"],
                    "site": part[site],
                    "day": part[day].where(part[day] != "", part["date"]),
                    "phase": np.where(morning, 0, phase),
                    "millionths": sign * part["millionths"],
                    "expiry_date": part["expiry_date"],
                    "received_date": part["received_date"].where(
                        arrived, part[day].where(part[day] != "", part["date"])
                    ),
                    "status": part["status"],
                    "sent": part["date"],
                    "comes": sign > 0,
                }
            )
        )
    found = pd.concat(sides, ignore_index=True)
    if np.abs(found["millionths"].astype(np.float64)).sum() > 9e18:
        raise LedgerError("the ledger's quantities are too large to be summed exactly; check the unit of its largest")
    return found


def stock_on(rows: pd.DataFrame, day: str = _EVER) -> pd.DataFrame:
    """Stock in the morning of a day, before anything of that day comes in or leaves.

    Returns
    -------
    DataFrame
        item, lot, site, millionths (never 0; below 0 where more left than there was), received_date (the earliest of what came),
        expiry_date, status; sorted.
    """
    done = effects(rows)
    return _summed(done[(done["day"] < day) | ((done["day"] == day) & (done["phase"] == 0))])


def under_way(rows: pd.DataFrame, day: str) -> pd.DataFrame:
    """What was sent before a day and comes in on it or later: item, lot, site, day, millionths, expiry_date; sorted."""
    done = effects(rows)
    mine = done[done["comes"] & (done["phase"] == 1) & (done["sent"] < day) & (done["day"] >= day)]
    late = done[done["comes"] & (done["phase"] == 0) & (done["day"] > day)]
    both = pd.concat([mine, late], ignore_index=True)
    keys = [*PLACE, "day", "expiry_date"]
    total = both.groupby(keys, sort=True, as_index=False)["millionths"].sum()
    found: pd.DataFrame = total[total["millionths"] != 0].reset_index(drop=True)
    return found


def _summed(done: pd.DataFrame) -> pd.DataFrame:
    total = done.groupby(PLACE, sort=True)["millionths"].sum()
    total = total[total != 0]
    came = done[done["comes"]].groupby([*PLACE, "received_date"], sort=True)["millionths"].sum()
    first = came[came > 0].reset_index("received_date").groupby(PLACE)["received_date"].min()
    known = done[done["comes"] & (done["expiry_date"] != "")].groupby(PLACE)["expiry_date"].min()
    told = done[done["comes"] & (done["status"] != "") & (done["phase"] == 0)].groupby(PLACE)["status"].last()
    frame = total.to_frame()
    for name, column, blank in (
        ("received_date", first, ""),
        ("expiry_date", known, ""),
        ("status", told, "available"),
    ):
        frame[name] = column.reindex(frame.index).fillna(blank).astype(object)
    return frame.reset_index()


@dataclass(frozen=True)
class Overdraft:
    """A lot of which more left than was there."""

    item: str
    lot: str
    site: str
    day: str
    short: int

    def __str__(self) -> str:
        return f"lot {self.lot} of item {self.item} at {self.site}: {units(self.short)} more left by {self.day} than was there"


def overdrafts(rows: pd.DataFrame) -> list[Overdraft]:
    """Lots that at any time of any day are below zero (by more than `SLACK`), each at its lowest; arrivals of a day come before what leaves."""
    done = effects(rows).sort_values([*PLACE, "day", "phase"], kind="stable", ignore_index=True)
    level = done.groupby(PLACE)["millionths"].cumsum()
    last = ~done.duplicated([*PLACE, "day", "phase"], keep="last")
    low = done.assign(level=level)[last & (level < -SLACK)]
    worst = low.loc[low.groupby(PLACE)["level"].idxmin()] if len(low) else low
    return [
        Overdraft(row.item, row.lot, row.site, row.day, -int(row.level))  # type: ignore[arg-type]
        for row in worst.itertuples(index=False)
    ]


@dataclass(frozen=True)
class Difference:
    """One lot at one site whose stock is not what it was compared with."""

    item: str
    lot: str
    site: str
    ledger: int
    other: int

    def __str__(self) -> str:
        return f"lot {self.lot} of item {self.item} at {self.site}: ledger {units(self.ledger)}, compared with {units(self.other)}"


def differences(mine: pd.DataFrame, other: pd.DataFrame) -> list[Difference]:
    """Where two stocks (item, lot, site, millionths) differ, to the millionth; sorted."""
    both = mine[[*PLACE, "millionths"]].merge(
        other[[*PLACE, "millionths"]], how="outer", on=PLACE, suffixes=("", "_other")
    )
    one, two = both["millionths"].fillna(0).astype(np.int64), both["millionths_other"].fillna(0).astype(np.int64)
    apart = both[one != two].sort_values(PLACE)
    return [
        Difference(place[0], place[1], place[2], int(one[at]), int(two[at]))
        for at, place in zip(apart.index, apart[PLACE].itertuples(index=False, name=None), strict=True)
    ]
