"""Networks made from networks, whose optima must stand in a known relation."""

from __future__ import annotations

from tests.end_to_end.case import Case, Row, relabelled
from tests.end_to_end.random_networks import FEATURES, random_case

__all__ = ["FREE_DISPOSAL", "IDLE", "more_room", "more_stock", "quiet_case", "relabelled", "without_demand"]

FREE_DISPOSAL = frozenset(
    {"expiry", "unusable", "life", "storage", "inbound", "policies", "not_carried", "capacities", "no_holding"}
)
"""Features under which one more unit, or more room, may cost something, or mean another thing."""
IDLE = FREE_DISPOSAL | {"locks"}
"""Features that may ask for a shipment where nobody asks for goods."""


def quiet_case(seed: int, without: frozenset[str]) -> Case:
    """A random network without some features, and without cost of holding and maximum stocks."""
    case = random_case(seed, without=without)
    free = case.each("sites", lambda row: {"holding_rate": 0})
    return free.each("items", lambda row: {"shelf_life_days": None})


def more_stock(case: Case, quanta: int = 4) -> Case:
    """Every lot holds more."""

    def change(row: Row) -> Row:
        return {"quantity": row["quantity"] + quanta * _step(case, row["item"])}

    return case.each("lots", change)


def more_room(case: Case) -> Case:
    """Every capacity and admission limit is doubled."""

    def double(*columns: str):  # type: ignore[no-untyped-def]
        return lambda row: {name: 2 * row[name] for name in columns if row.get(name) is not None}

    wider = case.each("sites", double("storage_volume", "inbound_volume", "outbound_volume", "outbound_units"))
    wider = wider.each("lanes", double("daily_volume")).each("capacities", double("volume"))
    share = lambda row: {"max_share": None if row["max_share"] is None else min(1.0, 2 * row["max_share"])}  # noqa: E731
    return wider.each("admission_limits", double("max_units")).each("admission_limits", share)


def without_demand(case: Case) -> Case:
    """Nobody asks for anything."""
    return case.having(forecasts=(), orders=(), stock_policies=(), locks=())


def _step(case: Case, item: str) -> float:
    quantum = next(row["quantum"] for row in case["items"] if row["item"] == item)
    return 1.0 if quantum in (None, 0) else float(quantum)


assert set(FEATURES) >= FREE_DISPOSAL
