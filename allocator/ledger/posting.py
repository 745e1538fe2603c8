"""Posting to the ledger: plans, what happened outside them, and what is taken back. Each is one transaction of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.ledger.planned import Posting
from allocator.ledger.replay import PLACE, differences, overdrafts, stock_on
from allocator.ledger.store import PLANS, TABLE, Ledger
from allocator.ledger.transactions import LedgerError, identified, joined, transactions, units

MOVES = ("shipment", "admission", "waste")
_SHOWN = 5


@dataclass(frozen=True)
class Posted:
    """What a posting did.

    Attributes
    ----------
    added, known : int
        Transactions that were added, and those that were there already.
    notes : tuple of str
        What is worth knowing, one line each.
    """

    added: int
    known: int
    notes: tuple[str, ...] = field(default=())


def post(ledger: Ledger, plan: Posting, counted: bool = False, replace: bool = False) -> Posted:
    """Post a plan; posted again, it adds nothing.

    Items that the ledger does not know come in with the plan's opening stock. Open reservations of earlier plans of the same network
    are released.

    Parameters
    ----------
    ledger : Ledger
    plan : Posting
    counted : bool
        Take the plan's opening stock as counted: the ledger's is set to it by transactions ``found`` and ``lost``.
    replace : bool
        Take back what other plans have posted for the same days and items.

    Raises
    ------
    LedgerError
        When the plan's moves would take more of a lot than the ledger has, or other plans have moves of the same days and items.
    """
    with ledger.transaction():
        if ledger.posted(plan.plan):
            if ledger.add(plan.rows):
                raise LedgerError(
                    f"plan {plan.plan} was posted with other transactions; run allocator verify on the plan"
                )
            return Posted(0, len(plan.rows))
        before = _begun(ledger, plan)
        standing = _standing(ledger, plan)
        if len(standing) and not replace:
            others = ", ".join(sorted(set(standing["plan"]))[:3])
            raise LedgerError(
                f"plan {others} has {len(standing)} moves of the same items in {plan.start} to {plan.until}; "
                "post with --replace to take them back, or leave this plan out"
            )
        back = reversals(
            standing, standing["standing"].to_numpy(np.int64), f"plan {plan.plan}", "replaced by a later plan", ""
        )
        known = ledger.add(back)
        notes, count = _compared(ledger, plan, counted)
        added = before + known + ledger.add(joined([count, _releases(ledger, plan), plan.rows]))
        _not_overdrawn(
            ledger,
            plan.rows,
            "post with --count to take the plan's own stock as counted, or record what happened first",
        )
        ledger.enter(plan.plan, plan.input_hash, plan.network, plan.start, plan.until)
    return Posted(added, 0, tuple(notes))


def record(ledger: Ledger, rows: pd.DataFrame) -> Posted:
    """Add what happened outside any plan; the same rows again add nothing.

    Raises
    ------
    LedgerError
        For items and sites that the ledger does not know, and for more of a lot than there is.
    """
    with ledger.transaction():
        ledger.incoming(rows)
        for column, where in (
            ("item", "t.item = i.item"),
            ("to_place", "t.from_place = i.to_place OR t.to_place = i.to_place"),
        ):
            strange = ledger.session.table(
                f"SELECT DISTINCT i.{column} AS word FROM incoming i WHERE i.{column} <> '' AND NOT EXISTS (SELECT 1 FROM {TABLE} t WHERE {where})"
                " ORDER BY 1"
            )
            if strange.num_rows:
                noun = {"item": "item", "to_place": "site"}[column]
                words = ", ".join(strange["word"].to_pylist()[:_SHOWN])
                raise LedgerError(
                    f"the ledger knows no {noun} {words}; mend the code, or post a plan that has it first"
                )
        rows = _with_expiry(ledger, rows)
        added = ledger.add(rows)
        _not_overdrawn(ledger, rows, "mend the lot, the site or the quantity")
    return Posted(added, len(rows) - added)


def reverse(
    ledger: Ledger, ids: Sequence[str], reason: str, planner: str = "", quantity: int | None = None, reference: str = ""
) -> Posted:
    """Take transactions back, wholly or in part; the same again adds nothing.

    Parameters
    ----------
    ledger : Ledger
    ids : sequence of str
    reason, planner : str
        Why, and who says so.
    quantity : int, optional
        How much of it [millionths]; all that is left of it when not given.
    reference : str
        Tells several part reversals of one transaction apart; needed with ``quantity``.

    Raises
    ------
    LedgerError
        For unknown ids, more than is left, and when what was taken back was used since.
    """
    if quantity is not None and not reference:
        raise LedgerError(
            "a part can only be taken back under a reference of its own, so that a repetition is known; give one"
        )
    with ledger.transaction():
        asked = pd.DataFrame({"id": list(dict.fromkeys(ids))}, dtype=object)
        blank = transactions({"quantity": 0.0}, len(asked), "asked", asked["id"])
        ledger.incoming(blank)
        found = ledger.rows("EXISTS (SELECT 1 FROM incoming i WHERE i.id = t.id OR i.id = t.reverses)")
        whole = found[found["id"].isin(asked["id"])]
        strange = sorted(set(asked["id"]) - set(whole["id"]))
        if strange or (whole["reverses"] != "").any():
            word = strange[0] if strange else whole.loc[whole["reverses"] != "", "id"].iloc[0]
            rule = (
                "is not in the ledger; give the id of a transaction"
                if strange
                else "is itself a reversal; record what happened instead"
            )
            raise LedgerError(f"transaction {word} {rule}")
        rest = np.asarray(whole["id"].map(_left(found)), dtype=np.int64)
        rows = reversals(whole, rest if quantity is None else np.full(len(whole), quantity), reference, reason, planner)
        again = rows["id"].isin(found["id"]).to_numpy()
        over = ~again & ((rest <= 0) | (-rows["millionths"].to_numpy() > rest))
        if over.any():
            at = int(np.flatnonzero(over)[0])
            raise LedgerError(
                f"only {units(int(rest[at]))} of transaction {whole['id'].iloc[at]} are left to take back; give at most that"
            )
        rows = rows[~again]
        added = ledger.add(rows)
        _not_overdrawn(ledger, rows, _uses(ledger, rows))
    return Posted(added, int(again.sum()))


def reversals(
    whole: pd.DataFrame, quantity: NDArray[np.int64], reference: str, reason: str, planner: str
) -> pd.DataFrame:
    """Transactions that take others back: their kind, places and days, and a quantity below 0."""
    rows = whole.assign(
        reverses=whole["id"], reference=reference, reason=reason, planner=planner, millionths=-quantity.astype(np.int64)
    ).reset_index(drop=True)
    return rows.assign(id=identified(rows, "reversal", ("reverses", "reference")))[list(joined([]).columns)]


def _begun(ledger: Ledger, plan: Posting) -> int:
    """Bring in the opening stock of items that the ledger does not know."""
    ledger.incoming(plan.opening)
    sql = f"SELECT DISTINCT i.item AS item FROM incoming i WHERE NOT EXISTS (SELECT 1 FROM {TABLE} t WHERE t.item = i.item)"
    fresh = ledger.session.table(sql)["item"].to_pylist()
    return ledger.add(plan.opening[plan.opening["item"].isin(fresh)])


def _standing(ledger: Ledger, plan: Posting) -> pd.DataFrame:
    """Moves of other plans of the same days and items, as far as they were not taken back (column ``standing``)."""
    ledger.incoming(plan.rows[plan.rows["kind"].isin(MOVES)])
    kinds = ", ".join("?" * len(MOVES))
    rows = ledger.rows(
        f"t.kind IN ({kinds}) AND EXISTS (SELECT 1 FROM incoming i WHERE i.item = t.item) AND EXISTS (SELECT 1 FROM {PLANS} p "
        "WHERE p.plan = t.plan AND p.plan <> ? AND p.start < ? AND p.until > ?)",
        *MOVES, plan.plan, plan.until, plan.start,
    )  # fmt: skip
    whole = rows[rows["reverses"] == ""]
    whole = whole.assign(standing=whole["id"].map(_left(rows)).astype(np.int64))
    return whole[whole["standing"] > 0]


def _left(rows: pd.DataFrame) -> pd.Series[int]:
    """What is left of transactions after what was taken back, by id. [millionths]"""
    left: pd.Series[int] = rows["millionths"].groupby(rows["reverses"].where(rows["reverses"] != "", rows["id"])).sum()
    return left


def _releases(ledger: Ledger, plan: Posting) -> pd.DataFrame:
    """Give up what earlier plans of the same network still hold back."""
    rows = ledger.rows(
        "t.kind = 'reservation' AND t.plan <> ? AND EXISTS (SELECT 1 FROM " + PLANS + " p WHERE p.plan = t.plan AND p.network = ?) "
        "AND NOT EXISTS (SELECT 1 FROM " + TABLE + " r WHERE r.reverses = t.id)",
        plan.plan, plan.network,
    )  # fmt: skip
    rows = rows.assign(kind="release", reverses=rows["id"], reference=plan.plan, date=plan.start)
    return rows.assign(id=identified(rows, "release", ("reverses",)))


def _compared(ledger: Ledger, plan: Posting, counted: bool) -> tuple[list[str], pd.DataFrame]:
    """Compare the stock that the plan started from with the ledger's; what sets the ledger's to it, where that was asked."""
    opening = plan.opening[plan.opening["arrive_date"] <= plan.start]
    theirs = opening.rename(columns={"to_place": "site"}).groupby(PLACE, as_index=False)["millionths"].sum()
    mine = stock_on(ledger.of_items(plan.opening), plan.start)
    apart = differences(mine, theirs[theirs["millionths"] != 0])
    if not apart:
        return [], joined([])
    told = "; ".join(map(str, apart[:_SHOWN])) + ("; ..." if len(apart) > _SHOWN else "")
    if not counted:
        return [f"the plan's stock differs from the ledger's in {len(apart)} lots: {told}"], joined([])
    gained = np.array([d.other - d.ledger for d in apart], dtype=np.int64)
    site = np.array([d.site for d in apart], dtype=object)
    facts = pd.DataFrame([(d.item, d.lot) for d in apart], columns=["item", "lot"])
    known = opening.set_index(["item", "lot", "to_place"])
    place = pd.MultiIndex.from_arrays([facts["item"], facts["lot"], site])
    values = {
        name: known[name].reindex(place).fillna("").to_numpy() for name in ("received_date", "expiry_date", "status")
    }
    rows = transactions(
        values
        | {"kind": np.where(gained > 0, "found", "lost"), "plan": plan.plan, "input_hash": plan.input_hash}
        | {"item": facts["item"], "lot": facts["lot"], "date": plan.start, "reason": "counted", "quantity": 0.0}
        | {"from_place": np.where(gained > 0, "", site), "to_place": np.where(gained > 0, site, "")}
        | {"arrive_date": np.where(gained > 0, plan.start, "")},
        len(apart),
        plan.plan,
    )
    return [f"the ledger's stock was set to the plan's in {len(apart)} lots: {told}"], rows.assign(
        millionths=np.abs(gained)
    )


def _with_expiry(ledger: Ledger, rows: pd.DataFrame) -> pd.DataFrame:
    """Fill in the expiry of lots that the ledger knows."""
    there = ledger.of_lots(rows)
    known = there[there["expiry_date"] != ""].groupby(["item", "lot"])["expiry_date"].min()
    found = known.reindex(pd.MultiIndex.from_frame(rows[["item", "lot"]])).fillna("").to_numpy()
    return rows.assign(expiry_date=np.where(rows["expiry_date"] == "", found, rows["expiry_date"]))


def _uses(ledger: Ledger, rows: pd.DataFrame) -> str:
    """What took from the places that reversals take back from: a mend."""
    ledger.incoming(rows)
    places = "EXISTS (SELECT 1 FROM incoming i WHERE i.item = t.item AND i.lot = t.lot AND i.to_place = t.from_place)"
    used = ledger.rows(f"t.reverses = '' AND {places} AND NOT EXISTS (SELECT 1 FROM {TABLE} r WHERE r.reverses = t.id)")
    told = ", ".join(used["id"].tail(_SHOWN)) or "none"
    return f"what it brought was used since; take that back in the same call (last uses of these lots: {told})"


def _not_overdrawn(ledger: Ledger, rows: pd.DataFrame, mend: str) -> None:
    short = overdrafts(ledger.of_lots(rows[rows["lot"] != ""]))
    if short:
        told = "; ".join(map(str, short[:_SHOWN])) + ("; ..." if len(short) > _SHOWN else "")
        raise LedgerError(f"{len(short)} lots would be overdrawn: {told}; {mend}")
