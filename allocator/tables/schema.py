"""Every input table, declared once: the reader, the checks, the error texts and docs/tables.md all read this."""

from __future__ import annotations

from allocator.tables.columns import Column, TableSpec, amount, choice, code, date, whole

METHODS = ("auto", "push", "pull", "jit")
QUANTILES = {"p05": 0.05, "p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95}
CATEGORY = "category:"
TINY = 1e-8
"""Smallest size above 0: HiGHS takes coefficients of 1e-9 for 0."""

_ITEM = ("the item", "items.item")
_SITE = ("the site", "sites.site")
_CHANNEL = ("the sales channel", "channels.channel")


def _lane(key: bool, mode_default: str | None = "standard") -> tuple[Column, ...]:
    return (
        code("origin", "site the lane leaves from", "sites.site", key=key),
        code("destination", "site the lane goes to", "sites.site", key=key),
        code("mode", "means of transport, telling apart lanes between the same sites", key=key, default=mode_default),
    )


ITEMS = TableSpec(
    "items",
    "What is stocked and moved.",
    (
        code("item", "the item", key=True),
        Column("description", "text", "name in plain words", optional=True),
        code("category", "group that item_lanes may name as `category:NAME`", optional=True),
        amount(
            "quantum", "smallest quantity that moves; 0 = continuous, such as bulk", "units", default=1.0, least=TINY
        ),
        amount("unit_cost", "value of one unit", "currency", default=0.0),
        amount("unit_volume", "room one unit takes", "m3", default=0.0, least=TINY),
        amount("unit_weight", "weight of one unit", "kg", default=0.0),
        whole("shelf_life_days", "days from receipt to expiry of a lot without its own date", "days", optional=True),
        choice(
            "rotation",
            "order in which lots leave; blank = FEFO if any lot or receipt of the item expires, else FIFO",
            *("FEFO", "FIFO", "LIFO"),
            optional=True,
        ),
    ),
)

SITES = TableSpec(
    "sites",
    "Where stock lies.",
    (
        code("site", "the site", key=True),
        choice("kind", "what the site is", "supplier", "plant", "dc", "store"),
        amount("holding_rate", "cost of holding stock, as a share of its value", "per year", default=0.2),
        amount("storage_volume", "room for stock; blank = no limit", "m3", optional=True),
        amount("inbound_volume", "room handled in; blank = no limit", "m3/day", optional=True),
        amount("outbound_volume", "room handled out; blank = no limit", "m3/day", optional=True),
        amount("outbound_units", "units handled out; blank = no limit", "units/day", optional=True),
        amount("latitude", "degrees north, for the map", "degrees", -90.0, hi=90.0, optional=True),
        amount("longitude", "degrees east, for the map", "degrees", -180.0, hi=180.0, optional=True),
    ),
)

LANES = TableSpec(
    "lanes",
    "Ways from site to site.",
    (
        *_lane(key=True),
        whole("lead_time_days", "days from leaving to arrival; 0 = same day", "days", hi=3660),
        amount("cost_per_unit", "freight of one unit", "currency/unit", default=0.0),
        amount("cost_per_m3", "freight of one cubic metre", "currency/m3", default=0.0),
        amount("cost_per_shipment", "cost of each started vehicle", "currency", default=0.0),
        amount(
            "vehicle_volume", "room in one vehicle; blank = daily_volume", "m3", above=True, optional=True, least=TINY
        ),
        amount("daily_volume", "room on one departing day; blank = no limit", "m3/day", optional=True),
        Column("departs", "mask7", "days the lane departs, seven of 0 or 1, Monday first", default="1111111"),
        choice("method", "how the lane replenishes", *METHODS, default="auto"),
    ),
)

ITEM_LANES = TableSpec(
    "item_lanes",
    "What a lane asks of one item, or of one category of items; a blank inherits, an item's own row wins.",
    (
        code("item", "the item, or `category:NAME`", key=True),
        *_lane(key=True),
        amount(
            "pack_size",
            "shipped in whole packs of this; blank = the quantum",
            "units",
            above=True,
            optional=True,
            least=TINY,
        ),
        amount("min_quantity", "smallest shipment; blank = 0", "units", optional=True, least=TINY),
        amount("cost_per_unit", "freight of one unit, in place of the lane's", "currency/unit", optional=True),
        choice("method", "how the lane replenishes, in place of the lane's", *METHODS, optional=True),
        Column("allowed", "flag", "false closes the lane to the item; blank = true", optional=True),
    ),
    optional=True,
)

CHANNELS = TableSpec(
    "channels",
    "Ways of selling, and what each asks.",
    (
        code("channel", "the sales channel", key=True),
        whole("priority", "1 is served first", default=1),
        choice("unmet", "what becomes of unserved demand", "lost", "backorder", default="lost"),
        whole("max_wait_days", "days a backorder may wait", "days", default=0),
        whole("min_remaining_life_days", "days of life left when the customer has the goods", "days", default=0),
    ),
)

FULFILMENT = TableSpec(
    "fulfilment",
    "Which site may serve which channel's demand in which zone (a store's walk-in demand has zone = the store).",
    (
        code("site", *_SITE, key=True),
        code("channel", *_CHANNEL, key=True),
        code("zone", "where the demand is", key=True),
        whole("delivery_days", "days from leaving the site to the customer", "days", default=0),
        amount("cost_per_unit", "cost of serving one unit", "currency/unit", default=0.0),
    ),
)

PRICES = TableSpec(
    "prices",
    "What serving a unit is worth; without a row both are 0.",
    (
        code("item", *_ITEM, key=True),
        code("channel", *_CHANNEL, key=True),
        amount("margin", "value of a unit served (may be negative)", "currency/unit", None),
        amount("unmet_cost", "penalty per unit lost, or per unit and day late", "currency/unit", default=0.0),
        amount(
            "cancel_cost", "cost of cancelling an accepted unit; blank = unmet_cost", "currency/unit", optional=True
        ),
    ),
    optional=True,
)

FORECASTS = TableSpec(
    "forecasts",
    "Expected demand by day, with its uncertainty as std or as quantiles.",
    (
        code("item", *_ITEM, key=True),
        code("channel", *_CHANNEL, key=True),
        code("zone", "where the demand is", key=True),
        date("date", "day the goods leave the serving site", key=True),
        amount("mean", "expected demand", "units"),
        amount("std", "standard deviation of the demand", "units", optional=True),
        *(amount(name, f"{p:.0%} quantile of the demand", "units", optional=True) for name, p in QUANTILES.items()),
    ),
)

ORDERS = TableSpec(
    "orders",
    "Firm demand; it consumes the forecast of its item, channel and zone.",
    (
        code("order", "the order", key=True),
        code("line", "its line", key=True),
        code("item", *_ITEM),
        code("channel", *_CHANNEL),
        code("zone", "where the demand is"),
        date("due_date", "day the goods should leave the serving site"),
        amount("quantity", "ordered", "units"),
        whole("priority", "in place of the channel's", optional=True),
        amount("unmet_cost", "in place of the price table's", "currency/unit", optional=True),
    ),
    optional=True,
)

LOTS = TableSpec(
    "lots",
    "Stock on hand, lot by lot.",
    (
        code("lot", "the lot", key=True),
        code("item", *_ITEM, key=True),
        code("site", *_SITE, key=True),
        amount("quantity", "on hand", "units"),
        date("received_date", "day it came to the site"),
        date("expiry_date", "last usable day; blank = received + shelf life, else never", optional=True),
        choice("status", "only available lots are used", "available", "quarantine", "blocked", default="available"),
    ),
)

RECEIPTS = TableSpec(
    "receipts",
    "Orders already placed: in transit, purchased or in production.",
    (
        code("receipt", "the receipt", key=True),
        code("item", *_ITEM),
        code("site", *_SITE),
        date("date", "day it comes in"),
        amount("quantity", "coming", "units"),
        code("lot", "its lot; blank = the receipt's code", optional=True),
        date("expiry_date", "last usable day; blank = date + shelf life, else never", optional=True),
    ),
    optional=True,
)

STOCK_POLICIES = TableSpec(
    "stock_policies",
    "Stock each site should keep of each item; without a row: carried, 0, 0, no maximum.",
    (
        code("item", *_ITEM, key=True),
        code("site", *_SITE, key=True),
        Column("carried", "flag", "false = the item is never shipped to the site", default=True),
        amount("min_stock", "presentation stock", "units", default=0.0),
        amount("safety_stock", "stock against uncertainty", "units", default=0.0),
        amount("max_stock", "most stock; blank = no limit", "units", optional=True),
    ),
    optional=True,
)

ADMISSION_LIMITS = TableSpec(
    "admission_limits",
    "What a channel may draw from a site; the most specific row wins, one of the two limits must be given.",
    (
        code("channel", *_CHANNEL, key=True),
        code("site", "the site, or `*` for each site", "sites.site", key=True, wild=True),
        date("date", "the day, or `*` for each day", key=True, wild=True),
        amount("max_units", "most units a day", "units/day", optional=True),
        amount("max_share", "most of the site's stock of an item", "share", hi=1.0, optional=True, least=TINY),
    ),
    optional=True,
)

CAPACITIES = TableSpec(
    "capacities",
    "One site's room on one day, in place of its own figure.",
    (
        code("site", *_SITE, key=True),
        choice("resource", "which room", "storage", "inbound", "outbound", key=True),
        date("date", "the day", key=True),
        amount("volume", "room that day", "m3"),
    ),
    optional=True,
)

LOCKS = TableSpec(
    "locks",
    "Shipments a planner has decided.",
    (
        code("lock", "the lock", key=True),
        code("item", *_ITEM),
        *_lane(key=False),
        date("date", "day of shipment, a departing day inside the horizon"),
        choice("kind", "exactly, at least, or at most the quantity", "fix", "min", "max"),
        amount("quantity", "shipped", "units"),
        Column("reason", "text", "why"),
        Column("planner", "text", "who decided"),
    ),
    optional=True,
)

SCHEMA: dict[str, TableSpec] = {
    table.name: table
    for table in (
        *(ITEMS, SITES, LANES, ITEM_LANES, CHANNELS, FULFILMENT, PRICES, FORECASTS, ORDERS),
        *(LOTS, RECEIPTS, STOCK_POLICIES, ADMISSION_LIMITS, CAPACITIES, LOCKS),
    )
}
