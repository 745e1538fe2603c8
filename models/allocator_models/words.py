"""Words, units and index sets of what the page of the mathematics lists; :mod:`allocator_models.page` puts them together."""

from __future__ import annotations

HEAD = """# The mathematics

Made from the laws by `python -m allocator_models.page > models/README.md` (or `make docs`); do not edit by hand.

One item's **block** (`allocator_models/block.py`) is stated once in ordinary Pyomo, with the item's own quantities as
symbols; `allocator` compiles it once for a network and fills in every item's numbers with numpy. The **shared** laws
(`allocator_models/resources.py`) tie the items together: a block only says how much of each shared resource it uses.
What the tables mean, to the day and to the unit, is in [docs/semantics.md](../docs/semantics.md); this page says how
that is written as rows. The package never imports `allocator`.

    minimise    sum over items of cost(block) + cost(shared)
    subject to  every law of every block, every shared law
                use[r] = sum over items of what their blocks use of r
                all variables >= 0; packs, moved and the commit window's vehicles whole

- **Elastic.** What could leave a network without any plan (stock levels, locks, storage, inbound, minimum fill rates) may give
  at a price above any real trade-off (docs/semantics.md, "The objective"), so there always is a plan, and its `exceptions` say
  what gave. Lane volume, outbound, admission limits and calendars never give.
- **Whole units.** Single units are not integers of the program; they are made whole afterwards, and settled in one more
  integer program where a small network would show the difference. The proven bound is that of the program.
- **Duals.** `value` and `cost` below are in currency per unit of the row, read with the integers fixed.
"""

SETS = {
    "s": "sites",
    "l": "lanes: origin, destination, mode",
    "c": "channels",
    "d": "claims: one channel and zone, forecast or firm orders that share their overrides",
    "a": "service arcs: a site that may serve a claim",
    "e": "expiry classes of the item: lots and receipts that are usable through the same days; one class for items that never expire",
    "w": "outlooks: equally likely demand paths; left out where a law speaks of one outlook",
    "j": "levels of stock at which demand beyond the outlooks is priced",
    "t, u": "buckets of one or more days; the first `committed` of them are executed",
}

SYMBOLS_HEAD = """## Data symbols of an item

"Per bucket" prices are a price per day times the days of the bucket. Index `item` means one number an item;
`committed t` runs over the commit window only.

"""

SYMBOLS: dict[str, tuple[str, str]] = {
    "supply": ("units", "usable lots and receipts that come in; opening lots in the first bucket"),
    "demand": ("units", "what the claim asks for in the bucket"),
    "lapsed": ("units", "demand whose longest wait has ended by the bucket, summed from the start"),
    "pack_size": ("units per pack", "what a shipment is a multiple of"),
    "min_quantity": ("units", "least a shipment may carry"),
    "reach": ("units", "all stock that can be anywhere by then: the tightest safe bound on a shipment"),
    "lock_min": ("units", "what fix and min locks ask for"),
    "lock_max": ("units", "what fix and max locks allow; no limit where there is no lock"),
    "previous": ("units", "what the previous plan ships"),
    "min_stock": ("units", "presentation stock"),
    "safety_stock": ("units", "safety stock"),
    "max_stock": ("units", "maximum stock"),
    "called": ("units", "firm demand served from the site or from a site downstream of it"),
    "is_pull": ("0 or 1", "the lane's method for this item is pull"),
    "is_jit": ("0 or 1", "the lane's method for this item is jit"),
    "unit_volume": ("m3 per unit", "room one unit takes"),
    "ship_cost": ("currency per unit", "unit freight"),
    "serve_cost": ("currency per unit", "fulfilment cost less margin"),
    "hold_cost": ("currency per unit", "holding, per bucket"),
    "waste_cost": ("currency per unit", "value of a unit that expires"),
    "lost_cost": (
        "currency per unit",
        "unmet cost and priority premium; in backorder channels also lateness to the end of the horizon",
    ),
    "late_cost": ("currency per unit", "unmet cost and priority premium of a unit that waits, per bucket"),
    "min_cost": ("currency per unit", "price of a unit below presentation stock, per bucket"),
    "safety_cost": ("currency per unit", "price of a unit below safety stock, per bucket"),
    "max_cost": ("currency per unit", "price of a unit above maximum stock, per bucket"),
    "lock_cost": ("currency per unit", "price of a unit that a lock asks for and does not get"),
    "change_cost": ("currency per unit", "price of a unit moved otherwise than in the previous plan"),
    "cover_level": ("units", "rare demand, not shown by the outlooks, that stock should reach; 0 with one outlook"),
    "cover_cost": ("currency per unit", "how likely the next unit is asked for, times what it is worth"),
}

VARIABLES_HEAD = """## Variables of an item

All are at least 0.

"""

VARIABLES: dict[str, tuple[str, str, str]] = {
    "ship": ("l, e, t departing", "units", "leaves on the lane in the bucket"),
    "serve": ("a, e, t", "units", "serves the claim from the arc's site"),
    "stock": ("s, e, t", "units", "closing stock"),
    "waste": ("s, e, t", "units", "expires at the end of the bucket (0 in other buckets)"),
    "lost": ("d, t", "units", "demand given up"),
    "backlog": ("d that waits, t", "units", "demand still waiting when the bucket closes"),
    "packs": ("l, t committed", "packs", "packs shipped; whole where the pack is larger than the quantum"),
    "moved": ("l with a minimum, t committed", "0 or 1", "the shipment goes"),
    "lock_short": ("l, t locked", "units", "what a fix or min lock does not get"),
    "below_min": ("s with the policy, t", "units", "shortage against presentation stock"),
    "below_safety": ("s with the policy, t", "units", "shortage against safety stock"),
    "above_max": ("s with the policy, t", "units", "excess over maximum stock"),
    "calls": ("s with pull lanes in, t", "units", "shipped by pull lanes on account of forecast demand that waits"),
    "up": ("l, t compared", "units", "more than in the previous plan"),
    "down": ("l, t compared", "units", "less than in the previous plan"),
    "uncovered": (
        "s with demand of its own, j",
        "units",
        "rare demand that stock would not reach; with several outlooks only",
    ),
}

LAWS_HEAD = """## Laws of an item

One heading a law, one function a law. Laws that do not apply anywhere in a network make no rows.
"""

WHERE: dict[str, str] = {
    "balance": "",
    "demand": "",
    "lapse": ", where the claim may wait",
    "share": ", where a `max_share` holds and the channel is served from the site",
    "packing": " in which the lane departs inside the commit window",
    "minimum": " in which a lane with a minimum quantity departs inside the commit window",
    "going": " in which a lane with a minimum quantity departs inside the commit window",
    "lock_least": " with a lock",
    "lock_most": " with a lock",
    "change": " in which a previous plan is compared",
    "pull": ", where some pull lane leads to the site",
    "calls": ", where some pull lane leads to the site",
    "calling": ", where some pull lane leads to the site",
    "jit": ", where some jit lane leads to the site",
    "presentation": ", where the item has that stock policy",
    "safety": ", where the item has that stock policy",
    "maximum": ", where the item has that stock policy",
    "cover": ", t being the site's last bucket before a shipment decided later can arrive; with several outlooks only",
    "use_lane_volume": " in which the lane departs and has a volume limit or a vehicle cost",
    "use_inbound": " with an inbound limit",
    "use_outbound": " with an outbound volume limit",
    "use_outbound_units": " with a limit on units out",
    "use_storage": " with a storage limit",
    "use_admission": " with an admission limit in units",
    "use_fill": " with a minimum fill rate, over the whole horizon",
}

DUALS: dict[str, str] = {
    "minimum": "none of use (integers).",
    "going": "none of use (integers).",
    "calls": "value of letting one unit more be called for in advance of the backlog.",
    "calling": "value of letting one unit more be called for than is shipped.",
    "shared vehicles": "none of use inside the commit window (integers); later the cost of carrying one m3 more.",
}
"""Meaning of the dual of laws whose docstring does not give one."""

OUTLOOKS_HEAD = """## Outlooks

`allocator_models/outlooks.py`. With K outlooks every law above holds in each of them, for its own {varying}; everything else is the same in all. They are
equally likely: the cost of an item, and what it uses of the shared resources, is the mean over them. So use by what is decided for all
is exact, use by what follows is expected. With K = 1 nothing of this is there.

"""

SHARED_HEAD = """## Laws of what items share

`allocator_models/laws/shared.py`; `use_KIND[r]` is the sum over items of what their blocks use. Limits are `inf` where there is none.

"""

RESOURCE_SYMBOLS: dict[str, tuple[str, str, str]] = {
    "lane_limit": ("l, t", "m3", "daily volume times departing days"),
    "vehicle_volume": ("l", "m3 per vehicle", "effective vehicle volume"),
    "vehicle_cost": ("l", "currency per vehicle", "cost of a started vehicle"),
    "vehicle_max": ("l, t", "vehicles", "how many can be of use"),
    "inbound_limit": ("s, t", "m3", "inbound volume less receipts"),
    "outbound_limit": ("s, t", "m3", "outbound volume"),
    "units_limit": ("s, t", "units", "units handled out"),
    "storage_limit": ("s, t", "m3", "storage volume less unusable lots"),
    "admission_limit": ("s, c, t", "units", "`max_units` of the admission limits"),
    "fill_floor": ("c", "units", "minimum fill rate times demand"),
    "over_inbound_cost": ("", "currency per m3", "price of inbound excess"),
    "over_storage_cost": ("t", "currency per m3", "price of storage excess, per bucket"),
    "fill_cost": ("", "currency per unit", "price of a unit short of the minimum fill rate"),
}

RESOURCE_VARIABLES: tuple[tuple[str, str, str, str], ...] = (
    ("`use_KIND`", "as the law that declares it", "m3 or units", "used by all items together"),
    ("`vehicles`", "l, t with a vehicle cost", "vehicles, whole in the commit window", "started vehicles"),
    ("`over_inbound`", "s, t", "m3", "inbound excess"),
    ("`over_storage`", "s, t", "m3", "storage excess"),
    ("`fill_short`", "c", "units", "short of the minimum fill rate"),
)

SHARED_WHERE: dict[str, str] = {
    "lane_volume": " with a volume limit",
    "vehicles": " with a vehicle cost",
    "inbound": " with an inbound limit",
    "outbound": " with an outbound volume limit",
    "outbound_units": " with a limit on units out",
    "storage": " with a storage limit",
    "admission": " with an admission limit in units",
    "fill": " with a minimum fill rate",
}

COST = """## Objective

Cost of an item's block, in currency:

    sum ship_cost[l] ship[l,e,t] + sum serve_cost[a] serve[a,e,t] + sum hold_cost[s,t] stock[s,e,t] + sum waste_cost waste[s,e,t]
    + sum lost_cost[d,t] lost[d,t] + sum late_cost[d,t] backlog[d,t]
    + sum min_cost[t] below_min[s,t] + sum safety_cost[s,t] below_safety[s,t] + sum max_cost[t] above_max[s,t]
    + sum lock_cost lock_short[l,t] + sum change_cost (up[l,t] + down[l,t]) + sum cover_cost[s,j] uncovered[s,j]

Cost of what items share:

    sum vehicle_cost[l] vehicles[l,t] + sum over_inbound_cost over_inbound[s,t] + sum over_storage_cost[t] over_storage[s,t]
    + sum fill_cost fill_short[c]
"""
