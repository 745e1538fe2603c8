"""A plan's part of the ledger: what of it is executed, as transactions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.ledger.transactions import LedgerError, days, joined, transactions
from allocator.plan.ledger import hexed, keys_of
from allocator.plan.plan import Plan
from allocator.tables.settings import Settings

OPENING = "opening"
RECEIPT = "receipt"
"""Keys of ids of what is the same whichever plan brings it: opening lots and receipts."""


@dataclass(frozen=True)
class Posting:
    """What a plan posts.

    Attributes
    ----------
    plan, input_hash, network : str
    start, until : str
        First day of the commit window, and the first day after it.
    rows : DataFrame
        Moves of the commit window, reservations, overrides and receipts.
    opening : DataFrame
        The stock that the plan started from.
    """

    plan: str
    input_hash: str
    network: str
    start: str
    until: str
    rows: pd.DataFrame
    opening: pd.DataFrame


def posting(plan: Plan) -> Posting:
    """Give what a plan posts.

    Only what is executed is a transaction: moves of the commit window. What is foreseen is planned again tomorrow.

    Raises
    ------
    LedgerError
        When the plan's ledger and lot moves are not the same.
    """
    settings = plan.network.settings
    start, until = settings.start.isoformat(), committed_until(settings).isoformat()
    facts = {"plan": str(plan.manifest["plan_id"]), "input_hash": str(plan.manifest["input_hash"])}
    rows = [
        _moves(plan, facts, until),
        _reservations(plan, facts, until),
        _overrides(plan, facts, until),
        _receipts(plan, facts, start, until),
    ]
    opening = _opening(plan, facts, start)
    return Posting(facts["plan"], facts["input_hash"], settings.name, start, until, joined(rows), opening)


def foreseen(plan: Plan) -> pd.DataFrame:
    """All that a plan does to usable stock in its horizon, as transactions: what :func:`posting` gives, without an end of the commit window."""
    settings = plan.network.settings
    start, end = settings.start.isoformat(), settings.end.isoformat()
    facts = {"plan": str(plan.manifest["plan_id"]), "input_hash": str(plan.manifest["input_hash"])}
    opening = _opening(plan, facts, start)
    usable = (opening["status"] == "available") & ((opening["expiry_date"] == "") | (opening["expiry_date"] >= start))
    return joined([opening[usable], _moves(plan, facts, end), _receipts(plan, facts, start, end)])


def committed_until(settings: Settings) -> dt.date:
    """First day after the commit window: the first bucket that begins outside it."""
    first = np.concatenate([[0], np.cumsum(settings.buckets)])
    past = first[first >= settings.commit_days]
    return settings.start + dt.timedelta(days=int(past[0] if len(past) else first[-1]))


def _moves(plan: Plan, facts: Mapping[str, str], until: str) -> pd.DataFrame:
    moves = plan.tables["lot_moves"]
    ids = hexed(*keys_of(moves.drop(columns="quantity"), facts["plan"]))
    if not np.array_equal(
        np.sort(ids.to_numpy(dtype=object)), np.sort(plan.tables["ledger"]["id"].to_numpy(dtype=object))
    ):
        raise LedgerError("the plan's ledger is not that of its lot moves; run allocator verify on the plan")
    date = days(moves["date"])
    mine = date < until
    part, kept = moves[mine], ids[mine]
    values: dict[str, Any] = dict(facts) | {
        **{name: part[name] for name in ("item", "lot", "channel")},
        **{"kind": part["for"], "from_place": part["from"], "to_place": part["to"], "quantity": part["quantity"]},
        **{name: days(part[name]) for name in ("date", "arrive_date", "received_date", "expiry_date")},
        **{
            "status": "available",
            "reference": part["mode"].astype(str) + np.where(part["claim"] != "", part["claim"], ""),
        },
    }
    return transactions(values, len(part), facts["plan"], kept)


def _reservations(plan: Plan, facts: Mapping[str, str], until: str) -> pd.DataFrame:
    held = plan.tables["reserves"]
    held = held[days(held["date"]) < until]
    values: dict[str, Any] = dict(facts) | {
        **{"kind": "reservation", "item": held["item"], "from_place": held["site"], "channel": held["channel"]},
        **{"date": days(held["date"]), "quantity": held["quantity"]},
    }
    return transactions(values, len(held), facts["plan"])


def _overrides(plan: Plan, facts: Mapping[str, str], until: str) -> pd.DataFrame:
    locks = plan.network.frame("locks")
    locks = locks[days(locks["date"]) < until]
    values: dict[str, Any] = dict(facts) | {
        **{"kind": "override", "item": locks["item"], "from_place": locks["origin"], "to_place": locks["destination"]},
        **{
            "date": days(locks["date"]),
            "quantity": locks["quantity"],
            "status": locks["kind"],
            "reference": locks["lock"],
        },
        **{"reason": locks["reason"], "planner": locks["planner"]},
    }
    return transactions(values, len(locks), facts["plan"])


def _receipts(plan: Plan, facts: Mapping[str, str], start: str, until: str) -> pd.DataFrame:
    """Receipts that come in within the commit window, overdue ones on its first day; the same receipt has one id in all plans."""
    coming = plan.network.frame("receipts")
    date = days(coming["date"])
    coming, date = coming[date < until], date[date < until]
    there = np.where(date < start, start, date)
    lot = coming["lot"].where(coming["lot"].notna() & (coming["lot"] != ""), coming["receipt"])
    values: dict[str, Any] = {
        **{
            "kind": "receipt",
            "item": coming["item"],
            "lot": lot,
            "to_place": coming["site"],
            "quantity": coming["quantity"],
        },
        **{"date": date, "arrive_date": date, "expiry_date": days(coming["expiry_date"]), "status": "available"},
        **{"reference": coming["receipt"]},
    }
    rows = transactions(values, len(coming), RECEIPT)
    return rows.assign(**facts, received_date=there)


def _opening(plan: Plan, facts: Mapping[str, str], start: str) -> pd.DataFrame:
    lots = plan.network.frame("lots")
    received = days(lots["received_date"])
    values: dict[str, Any] = {
        **{
            "kind": "opening",
            "item": lots["item"],
            "lot": lots["lot"],
            "to_place": lots["site"],
            "status": lots["status"],
        },
        **{"quantity": lots["quantity"]},
    }
    rows = transactions(values, len(lots), OPENING)
    there = np.where(received > start, received, start)
    return rows.assign(
        **facts, date=there, arrive_date=there, received_date=received, expiry_date=days(lots["expiry_date"])
    )
