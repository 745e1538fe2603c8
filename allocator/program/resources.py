"""Numbers of the shared resources, and their rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.network.outlooks import draw_claims
from allocator.network.prices import Prices
from allocator_models.block import LAWS
from allocator_models.resources import build_resources, resource_indices
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

PART = 256
"""Items whose outlooks are drawn together."""


def resource_data(network: Network, prices: Prices) -> dict[str, FloatArray]:
    """Entries of :data:`allocator_models.resources.RESOURCE_DATA` for a network."""
    lanes, sites, calendar = network.lanes, network.sites, network.calendar
    lots, volume = network.lots, network.unit_volume
    received = np.zeros(sites.inbound.shape)
    fresh = lots.receipt
    np.add.at(received, (lots.site[fresh], lots.bucket[fresh]), (lots.quantity * volume[lots.item])[fresh])
    supply = float((lots.quantity * volume[lots.item]).sum())
    most = np.minimum(lanes.daily_volume, supply)
    days = calendar.length.astype(float)
    demand = _asked(network) if (network.limits.min_fill > 0).any() else np.zeros(len(network.channels))
    return {
        "lane_limit": lanes.daily_volume,
        "vehicle_volume": lanes.vehicle_volume,
        "vehicle_cost": lanes.cost_per_shipment,
        "vehicle_max": np.ceil(most / lanes.vehicle_volume[:, None] - 1e-9),
        "inbound_limit": sites.inbound - received,
        "outbound_limit": sites.outbound,
        "units_limit": sites.outbound_units,
        "storage_limit": sites.storage - network.idle_volume[:, None],
        "admission_limit": network.limits.max_units,
        "fill_floor": network.limits.min_fill * demand,
        "over_inbound_cost": np.asarray(prices.volume),
        "over_storage_cost": prices.volume * days,
        "fill_cost": np.asarray(prices.fill),
    }


def _asked(network: Network) -> FloatArray:
    """(C,) demand of each channel, the mean over the outlooks. [units]"""
    asked = np.zeros(len(network.channels))
    channel, demand = network.claims.channel, network.demand
    if network.outlooks.count == 1:
        np.add.at(asked, channel[demand.claim], demand.quantity)
        return asked
    firm = network.claims.firm[demand.claim]
    np.add.at(asked, channel[demand.claim[firm]], demand.quantity[firm])
    for items in np.array_split(np.arange(len(network.items)), max(len(network.items) // PART, 1)):
        np.add.at(asked, channel, draw_claims(network, items).sum(axis=(0, 1, 3)) / network.outlooks.count)
    return asked


@dataclass(frozen=True)
class SharedPiece:
    """Rows and columns of the shared resources.

    Attributes
    ----------
    cost, lower, upper : (n,) float
    integer : (n,) bool
    variable : list of str
        Name of each column's variable; ``key`` (n, 3) its index, padded with -1.
    row, column, value : (z,)
    row_lower, row_upper : (m,) float
    law : list of str
        Name of each row; ``row_key`` (m, 3) its index, padded with -1.
    uses : dict
        Use law -> (n_r,) column of each member of its index set.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    variable: list[str]
    key: IntArray
    row: IntArray
    column: IntArray
    value: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    law: list[str]
    row_key: IntArray
    uses: dict[str, IntArray]

    @property
    def linked(self) -> IntArray:
        """(u,) column that each use row defines, law after law in the order of the model's laws."""
        return np.concatenate([self.uses[law] for law in LAWS if law in self.uses] or [np.empty(0, dtype=np.int64)])


def compile_resources(structure: Structure, data: dict[str, FloatArray]) -> SharedPiece:
    """Compile the shared block to arrays (Pyomo's linear standard form)."""
    from pyomo.common.gc_manager import PauseGC

    with PauseGC():
        return _compile(structure, data)


def _compile(structure: Structure, data: dict[str, FloatArray]) -> SharedPiece:
    import pyomo.environ as pyo
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    model = build_resources(structure, data)
    variables = list(model.component_objects(pyo.Var))
    place: dict[int, int] = {}
    name: list[str] = []
    key: list[tuple[int, ...]] = []
    entries: list[Any] = []
    for variable in variables:
        for index in variable:
            place[id(variable[index])] = len(entries)
            entries.append(variable[index])
            name.append(variable.local_name)
            key.append(_padded(index))
    form = LinearStandardFormCompiler().write(model, mixed_form=True, column_order=variables)
    column_of = np.array([place[id(column)] for column in form.columns], dtype=np.int64)
    matrix = form.A.tocoo()
    cost = np.zeros(len(entries))
    cost[column_of] = np.asarray(form.c.todense()).ravel()
    rhs = np.array([float(value) for value in form.rhs])
    sense = np.array([row.bound_type for row in form.rows], dtype=np.int64)
    finite = np.isfinite(rhs)
    new = np.cumsum(finite) - 1
    keep = finite[matrix.row]
    kept = [row.constraint for row, ok in zip(form.rows, finite, strict=True) if ok]
    order = np.lexsort((column_of[matrix.col[keep]], new[matrix.row[keep]]))
    uses = {
        use: np.array(
            [place[id(getattr(model, use)[index[0] if len(index) == 1 else index])] for index in found], dtype=np.int64
        )
        for use, found in resource_indices(structure).items()
    }
    return SharedPiece(
        cost=cost,
        lower=np.zeros(len(entries)),
        upper=np.array([np.inf if entry.ub is None else float(entry.ub) for entry in entries]),
        integer=np.array([entry.is_integer() or entry.is_binary() for entry in entries], dtype=bool),
        variable=name,
        key=np.array(key, dtype=np.int64).reshape(-1, 3),
        row=new[matrix.row[keep]][order],
        column=column_of[matrix.col[keep]][order],
        value=matrix.data[keep][order],
        row_lower=np.where(sense == 1, -np.inf, rhs)[finite],
        row_upper=np.where(sense == -1, np.inf, rhs)[finite],
        law=[constraint.parent_component().local_name.removeprefix("law_") for constraint in kept],
        row_key=np.array([_padded(constraint.index()) for constraint in kept], dtype=np.int64).reshape(-1, 3),
        uses=uses,
    )


def _padded(index: object) -> tuple[int, ...]:
    key = index if isinstance(index, tuple) else (index,)
    return (*key, *([-1] * (3 - len(key))))
