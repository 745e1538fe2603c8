"""The audit from end to end: recompute every rule and the objective from the tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from allocator.audit.certificate import Sums, check_certificate, check_kpis
from allocator.audit.coded import code_plan
from allocator.audit.columns import check_columns, check_keys
from allocator.audit.demand import check_demand, read_claims
from allocator.audit.facts import Facts, read_facts
from allocator.audit.keys import Tally, floats, pack
from allocator.audit.laws import check_jit, check_pull
from allocator.audit.ledger import check_ids, check_ledger
from allocator.audit.limits import check_admission, check_locks, policy_gaps
from allocator.audit.lots import check_moves, check_waste, read_layers
from allocator.audit.objective import COMPONENTS, Account, Change, priced, recompute, together, vehicles
from allocator.audit.registry import AuditReport, Notebook
from allocator.audit.relaxed import check_exceptions, check_kinds, check_unmet
from allocator.audit.rotation import check_rotation
from allocator.audit.shared import Shared
from allocator.audit.sheets import Sheets
from allocator.audit.shipments import check_shipments, read_locks
from allocator.audit.stock import Stock, check_below_min, check_stock, follow_stock, read_levels, read_supply
from allocator.audit.terms import LaneRules, read_lane_rules, read_worth, terms

if TYPE_CHECKING:
    from allocator.tables import Tables


def audit(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame | pa.Table],
    certificate: Mapping[str, Any] | None = None,
    previous: pd.DataFrame | None = None,
) -> AuditReport:
    """Check a plan against every rule of docs/semantics.md and recompute its objective.

    Parameters
    ----------
    tables : Tables
        The resolved input.
    plan : mapping of str to DataFrame or pyarrow.Table
        The plan's tables, columns as docs/semantics.md gives them.
    certificate : mapping, optional
        certificate.json; without it objective, components, bound and gap are not checked.
    previous : DataFrame, optional
        Shipments of the previous plan, for the cost of change.

    Returns
    -------
    AuditReport
    """
    return audit_into(Notebook(), tables, plan, certificate, previous)


def audit_into(
    book: Notebook,
    tables: Tables,
    plan: Mapping[str, pd.DataFrame | pa.Table],
    certificate: Mapping[str, Any] | None,
    previous: pd.DataFrame | None,
) -> AuditReport:
    """Audit into a notebook that may hold findings already."""
    if not check_columns(plan, book):
        return book.report({})
    facts = read_facts(tables)
    sheets, rules = Sheets(plan, facts), read_lane_rules(facts)
    kpis = sheets.whole("kpis")
    check_keys({"kpis": kpis}, book)
    check_ids(plan["ledger"]["id"], book)
    shared, sums, change = Shared(facts), Sums(), Change(facts, previous)
    parts = dict.fromkeys(COMPONENTS, 0.0)
    for first, stop in sheets.windows():
        for name, cost in _audit_items(facts.among(first, stop), sheets, rules, change, shared, sums, book).items():
            parts[name] += cost
    relaxed = shared.judge(book)
    check_kinds(facts, sheets.whole("exceptions"), relaxed, book)
    parts |= priced(relaxed) | {"vehicles": vehicles(facts, shared.lanes, shared.supply)}
    objective = together(parts)
    check_kpis(kpis, sums, objective, book)
    if certificate is not None:
        check_certificate(certificate, objective, book)
    return book.report(objective)


def _audit_items(
    facts: Facts, sheets: Sheets, rules: LaneRules, change: Change, shared: Shared, sums: Sums, book: Notebook
) -> dict[str, float]:
    """Check the rules of a run of items by themselves, add up what items share, and give what theirs cost."""
    plan = sheets.cut(*facts.window)
    check_keys(plan, book)
    coded = code_plan(plan, facts, book)
    ships, sold, shown = coded.shipments, coded.admissions, coded.projections
    locks, claims = read_locks(facts), read_claims(facts)
    asks = terms(facts, rules, ships.item, ships.lane)
    worth = read_worth(facts, rules, claims)
    check_shipments(facts, ships, asks, locks, book)

    fate = check_demand(facts, claims, sold, coded.unmet, book)
    supply = read_supply(facts)
    stock = follow_stock(facts, supply, ships, sold, shown)
    levels = read_levels(facts, stock)
    check_stock(facts, stock, shown, book)
    check_below_min(facts, stock, levels, shown, book)
    check_reserves(facts, plan["reserves"], stock, book)

    shared.add(ships, sold, supply, stock, worth)
    shared.add_demand(claims, fate)
    sums.add(facts, coded, claims, fate)
    gaps, safety = policy_gaps(facts, stock, levels, worth)
    relaxed = [*gaps, check_locks(facts, ships, locks, worth, book)]
    check_admission(facts, sold, stock, book)
    check_pull(facts, ships, asks, claims, fate, book)
    check_jit(facts, ships, asks, stock, book)
    check_exceptions(plan["exceptions"], book)
    check_kinds(facts, plan["exceptions"], relaxed, book)
    check_unmet(facts, plan["exceptions"], claims, fate, book)

    layers = read_layers(facts, supply, coded.moves)
    check_moves(facts, coded, claims, layers, book)
    check_waste(facts, coded, layers, book)
    check_rotation(facts, coded.moves, layers, book)
    check_ledger(plan["ledger"], plan["lot_moves"], book)
    account = Account(ships, asks, sold, shown, supply, stock, claims, fate, worth, relaxed, safety, change)
    return recompute(facts, account)


def check_reserves(facts: Facts, frame: pd.DataFrame, stock: Stock, book: Notebook) -> None:
    """Check that what is held back at a site is there."""
    item, site = facts.items.find(frame["item"]), facts.sites.find(frame["site"])
    bucket = facts.calendar.buckets_at(facts.calendar.days(frame["date"]))
    sizes = (*facts.pair_sizes, facts.calendar.buckets)
    held = Tally.of(pack(sizes, item, site, bucket), floats(frame["quantity"]))
    pair, when = held.keys // facts.calendar.buckets, held.keys % facts.calendar.buckets
    row = stock.keys.find(pair)
    closing = stock.closing[row, when]
    closing[row < 0] = 0.0
    place = facts.place(item=pair // max(len(facts.sites), 1), site=pair % max(len(facts.sites), 1), bucket=when)
    book.at_most("reserves", held.amounts, closing, place)
