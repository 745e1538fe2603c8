"""The network's own block: shared resources, started vehicles, and what was exceeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyomo.environ as pyo

from allocator_models.block import LAWS, Index
from allocator_models.laws import shared
from allocator_models.structure import Structure

RESOURCE_DATA = (
    "lane_limit",  # (L, T) m3
    "vehicle_volume",  # (L,) m3
    "vehicle_cost",  # (L,) currency per started vehicle
    "vehicle_max",  # (L, T) started vehicles that can be of use
    "inbound_limit",  # (S, T) m3, receipts taken off
    "outbound_limit",  # (S, T) m3
    "units_limit",  # (S, T) units
    "storage_limit",  # (S, T) m3, unusable lots taken off
    "admission_limit",  # (S, C, T) units
    "fill_floor",  # (C,) units
    "over_inbound_cost",  # currency per m3
    "over_storage_cost",  # (T,) currency per m3 and bucket
    "fill_cost",  # currency per unit
)
"""Numbers the shared laws need (``inf`` where there is no limit)."""


def resource_indices(structure: Structure) -> dict[str, list[Index]]:
    """Indices of each use law, by its name."""
    return {name: list(law.indices(structure)) for name, law in LAWS.items() if law.use}


def build_resources(structure: Structure, data: Mapping[str, Any]) -> pyo.ConcreteModel:
    """Build the block of shared resources.

    Parameters
    ----------
    structure : Structure
    data : mapping
        The entries of :data:`RESOURCE_DATA`.

    Returns
    -------
    pyomo.environ.ConcreteModel
        Variables ``use_*`` (sums over items), ``vehicles``, ``over_inbound``, ``over_storage``, ``fill_short``; the shared
        laws as constraints; the objective ``cost``.
    """
    m = pyo.ConcreteModel()
    m.structure = structure
    for name in RESOURCE_DATA:
        setattr(m, name, data[name])
    keys: dict[str, list[Any]] = {
        name: [k[0] if len(k) == 1 else k for k in found] for name, found in resource_indices(structure).items()
    }
    for name, found in keys.items():
        setattr(m, name, pyo.Var(found, domain=pyo.NonNegativeReals))
    charged = [k for k in keys["use_lane_volume"] if data["vehicle_cost"][k[0]] > 0]
    m.vehicles = pyo.Var(charged, bounds=lambda _, lane, t: (0, float(data["vehicle_max"][lane, t])))
    for lane, t in charged:
        if t < structure.committed:
            m.vehicles[lane, t].domain = pyo.NonNegativeIntegers
    m.over_inbound = pyo.Var(keys["use_inbound"], domain=pyo.NonNegativeReals)
    m.over_storage = pyo.Var(keys["use_storage"], domain=pyo.NonNegativeReals)
    m.fill_short = pyo.Var(keys["use_fill"], domain=pyo.NonNegativeReals)
    laws: dict[str, tuple[Any, Iterable[Any]]] = {
        "lane_volume": (
            shared.lane_volume,
            [k for k in keys["use_lane_volume"] if data["lane_limit"][k] < float("inf")],
        ),
        "vehicle": (shared.vehicles, charged),
        "inbound": (shared.inbound, keys["use_inbound"]),
        "outbound": (shared.outbound, keys["use_outbound"]),
        "outbound_units": (shared.outbound_units, keys["use_outbound_units"]),
        "storage": (shared.storage, keys["use_storage"]),
        "admission": (shared.admission, keys["use_admission"]),
        "fill": (shared.fill, keys["use_fill"]),
    }
    for name, (function, indices) in laws.items():
        setattr(m, f"law_{name}", pyo.Constraint(list(indices), rule=function))
    m.cost = pyo.Objective(
        expr=sum(float(data["vehicle_cost"][lane]) * m.vehicles[lane, t] for lane, t in charged)
        + sum(float(data["over_inbound_cost"]) * v for v in m.over_inbound.values())
        + sum(float(data["over_storage_cost"][t]) * v for (_, t), v in m.over_storage.items())
        + sum(float(data["fill_cost"]) * v for v in m.fill_short.values())
    )
    return m
