"""The block of one item, in ordinary Pyomo: sets, variables, laws, cost.

With ``data=None`` every quantity of the item is a symbol (a Pyomo ``Var`` that the parameterised standard-form compiler
treats as data); with a mapping of arrays the same laws are instantiated with numbers. Both give the same matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo

from allocator_models.laws import demand, lanes, resources, stock
from allocator_models.structure import COVERS, Structure

Index = tuple[int, ...]
Indices = Callable[[Structure], Iterable[Index]]


def _site_bucket(mask: str) -> Indices:
    def indices(x: Structure) -> list[Index]:
        return [(int(s), t) for s in np.flatnonzero(getattr(x, mask)) for t in range(x.buckets)]

    return indices


def _where(mask: str) -> Indices:
    def indices(x: Structure) -> list[Index]:
        return [tuple(int(k) for k in row) for row in np.argwhere(getattr(x, mask))]

    return indices


def _stock(x: Structure) -> list[Index]:
    return [(s, e, t) for s in range(x.sites) for e in range(x.classes) for t in range(x.buckets)]


def _ship(x: Structure) -> list[Index]:
    return [(lane, e, t) for lane, t in x.departures for e in range(x.classes)]


def _serve(x: Structure) -> list[Index]:
    return [(a, e, t) for a in range(x.arcs) for e in range(x.classes) for t in range(x.buckets)]


def _claims(x: Structure) -> list[Index]:
    return [(d, t) for d in range(x.claims) for t in range(x.buckets)]


def _waiting(x: Structure) -> list[Index]:
    return [(d, t) for d in range(x.claims) if x.claim_waits[d] for t in range(x.buckets)]


def _committed(x: Structure) -> list[Index]:
    return [(lane, t) for lane, t in x.departures if t < x.committed]


def _least(x: Structure) -> list[Index]:
    return [(lane, t) for lane, t in x.departures if t < x.committed and x.minimum_lanes[lane]]


def _locked(x: Structure) -> list[Index]:
    return [(lane, t) for lane, t in x.departures if x.locked[lane, t]]


def _changed(x: Structure) -> list[Index]:
    return [(lane, t) for lane, t in x.departures if x.changed[lane, t]]


def _pulled(x: Structure) -> list[Index]:
    return [(int(s), t) for s in x.pulled_sites for t in range(x.buckets)]


def _jit(x: Structure) -> list[Index]:
    sites = np.unique(x.destination[x.jit_lanes])
    return [(int(s), t) for s in sites for t in range(x.buckets)]


def _shares(x: Structure) -> list[Index]:
    drawn = {(int(x.arc_site[a]), int(x.claim_channel[x.arc_claim[a]])) for a in range(x.arcs)}
    return [
        (s, c, t) for s, c, t in (tuple(map(int, row)) for row in np.argwhere(np.isfinite(x.share))) if (s, c) in drawn
    ]


def _lane_volume(x: Structure) -> list[Index]:
    return [(lane, t) for lane, t in x.departures if x.lane_limited[lane, t]]


def _leaving(mask: str) -> Indices:
    def indices(x: Structure) -> list[Index]:
        return [(s, t) for s, t in _where(mask)(x) if (s, t) in x.leaving or s in x.serving]

    return indices


def _admission(x: Structure) -> list[Index]:
    drawn = {(int(x.arc_site[a]), int(x.claim_channel[x.arc_claim[a]])) for a in range(x.arcs)}
    return [(s, c, t) for s, c, t in _where("admission_limited")(x) if (s, c) in drawn]


def _fill(x: Structure) -> list[Index]:
    return [(int(c),) for c in np.flatnonzero(x.fill_channels)]


def _covered(x: Structure) -> list[Index]:
    return [(int(s), j, int(x.cover_until[s])) for s in np.flatnonzero(x.covered) for j in range(COVERS)]


VARIABLES: dict[str, Indices] = {
    "ship": _ship,
    "serve": _serve,
    "stock": _stock,
    "waste": _stock,
    "lost": _claims,
    "backlog": _waiting,
    "packs": _committed,
    "moved": _least,
    "lock_short": _locked,
    "below_min": _site_bucket("policy_min"),
    "below_safety": _site_bucket("policy_safety"),
    "above_max": _site_bucket("policy_max"),
    "calls": _pulled,
    "up": _changed,
    "down": _changed,
    "uncovered": _covered,
}
"""Variables of the block and their index sets (all non-negative, units; packs and moved are counts)."""


@dataclass(frozen=True)
class Law:
    """A law and the indices it holds for; ``use`` laws declare a use of a shared resource instead of a row of their own."""

    function: Callable[..., Any]
    indices: Indices
    use: bool = False


LAWS: dict[str, Law] = {
    "balance": Law(stock.balance, _stock),
    "demand": Law(demand.demand, _claims),
    "lapse": Law(demand.lapse, _waiting),
    "share": Law(demand.share, _shares),
    "packing": Law(lanes.packing, _committed),
    "minimum": Law(lanes.minimum, _least),
    "going": Law(lanes.going, _least),
    "lock_least": Law(lanes.lock_least, _locked),
    "lock_most": Law(lanes.lock_most, _locked),
    "change": Law(lanes.change, _changed),
    "pull": Law(lanes.pull, _pulled),
    "calls": Law(lanes.calls, _pulled),
    "calling": Law(lanes.calling, _pulled),
    "jit": Law(lanes.jit, _jit),
    "presentation": Law(stock.presentation, _site_bucket("policy_min")),
    "safety": Law(stock.safety, _site_bucket("policy_safety")),
    "maximum": Law(stock.maximum, _site_bucket("policy_max")),
    "use_lane_volume": Law(resources.lane_volume, _lane_volume, use=True),
    "use_inbound": Law(resources.inbound, _where("inbound_limited"), use=True),
    "use_outbound": Law(resources.outbound, _leaving("outbound_limited"), use=True),
    "use_outbound_units": Law(resources.outbound_units, _leaving("units_limited"), use=True),
    "use_storage": Law(resources.storage, _where("storage_limited"), use=True),
    "use_admission": Law(resources.admission, _admission, use=True),
    "use_fill": Law(resources.fill, _fill, use=True),
    "cover": Law(stock.cover, _covered),
}
"""Every law of the block. The order is the order of the rows."""

USES: tuple[str, ...] = tuple(name for name, law in LAWS.items() if law.use)


def data_shapes(x: Structure) -> dict[str, tuple[int, ...]]:
    """Shape of every symbol of an item's data, without the item axis.

    Units: quantities in units; ``*_cost`` in currency per unit (``late``, ``hold``, prices of levels: per unit and bucket).
    """
    s, t, e, d, a, lane = x.sites, x.buckets, x.classes, x.claims, x.arcs, x.lanes
    return {
        "supply": (s, e, t),
        "demand": (d, t),
        "lapsed": (d, t),
        "pack_size": (lane, max(x.committed, 1)),
        "min_quantity": (lane, max(x.committed, 1)),
        "reach": (lane, max(x.committed, 1)),
        "lock_min": (lane, t),
        "lock_max": (lane, t),
        "previous": (lane, t),
        "min_stock": (s,),
        "safety_stock": (s,),
        "max_stock": (s,),
        "called": (s,),
        "is_pull": (lane,),
        "is_jit": (lane,),
        "unit_volume": (),
        "ship_cost": (lane,),
        "serve_cost": (a,),
        "hold_cost": (s, t),
        "waste_cost": (),
        "lost_cost": (d, t),
        "late_cost": (d, t),
        "min_cost": (t,),
        "safety_cost": (s, t),
        "max_cost": (t,),
        "lock_cost": (),
        "change_cost": (),
        "cover_level": (s, COVERS),
        "cover_cost": (s, COVERS),
    }


def cost(m: Any) -> Any:
    """Cost of the item's plan: freight, fulfilment less margin, holding, waste, unmet, lateness, prices of what gave. [currency]"""
    terms = [
        sum(m.ship_cost[lane] * v for (lane, _, _), v in m.ship.items()),
        sum(m.serve_cost[a] * v for (a, _, _), v in m.serve.items()),
        sum(m.hold_cost[s, t] * v for (s, _, t), v in m.stock.items()),
        sum(m.waste_cost * v for v in m.waste.values()),
        sum(m.lost_cost[d, t] * v for (d, t), v in m.lost.items()),
        sum(m.late_cost[d, t] * v for (d, t), v in m.backlog.items()),
        sum(m.min_cost[t] * v for (_, t), v in m.below_min.items()),
        sum(m.safety_cost[s, t] * v for (s, t), v in m.below_safety.items()),
        sum(m.max_cost[t] * v for (_, t), v in m.above_max.items()),
        sum(m.lock_cost * v for v in m.lock_short.values()),
        sum(m.change_cost * (m.up[k] + m.down[k]) for k in m.up),
        sum(m.cover_cost[s, j] * v for (s, j, _), v in m.uncovered.items()),
    ]
    return sum(terms)


def build_block(
    structure: Structure, data: Mapping[str, Any] | None = None, bounds: Mapping[str, Any] | None = None
) -> pyo.ConcreteModel:
    """Build one item's block.

    Parameters
    ----------
    structure : Structure
    data : mapping of str to array, optional
        One item's data, shapes as in :func:`data_shapes`. Without it every entry is a symbol (a ``Var`` listed in ``symbols``).
    bounds : mapping of str to (lower, upper) arrays, optional
        Bounds of each variable of :data:`VARIABLES`, in the order of its index set.

    Returns
    -------
    pyomo.environ.ConcreteModel
        With ``structure``, ``symbols`` (list of Vars), one ``Constraint`` a law (a use law as ``body <= 0`` for the compiler; with numbers
        as the ``Expression`` itself) and the ``Objective`` ``cost``.
    """
    m = pyo.ConcreteModel()
    m.structure = structure
    m.symbols = []
    for name, shape in data_shapes(structure).items():
        if data is not None:
            setattr(m, name, data[name])
            continue
        symbol = pyo.Var(*[range(n) for n in shape]) if shape else pyo.Var()
        setattr(m, name, symbol)
        m.symbols.append(symbol)
    for name, indices in VARIABLES.items():
        keys = list(indices(structure))
        variable = pyo.Var(keys, domain=pyo.NonNegativeReals)
        setattr(m, name, variable)
        if bounds is not None:
            lower, upper = bounds[name]
            for key, low, high in zip(keys, lower, upper, strict=True):
                variable[key].setlb(float(low))
                variable[key].setub(float(high))
    for name, law in LAWS.items():
        _state(m, name, law, numeric=data is not None)
    m.cost = pyo.Objective(expr=cost(m))
    return m


def _state(m: Any, name: str, law: Law, numeric: bool) -> None:
    keys = list(law.indices(m.structure))
    if law.use and numeric:
        uses = {key: law.function(m, *key) for key in keys}
        setattr(m, f"law_{name}", pyo.Expression(keys, rule=lambda _, *key: uses[key]))
        return

    def rule(block: Any, *key: int) -> Any:
        relation = law.function(block, *key)
        if law.use:
            return pyo.Constraint.Skip if _number(relation) else relation <= 0
        return pyo.Constraint.Skip if relation is True else relation

    setattr(m, f"law_{name}", pyo.Constraint(keys, rule=rule))


def _number(expression: Any) -> bool:
    return isinstance(expression, int | float)
