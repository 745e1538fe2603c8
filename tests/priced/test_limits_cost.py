"""Limits of shared resources: one formula for what the shared part of the model says."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from allocator.network.prices import build_prices
from allocator.priced.finish import shared_cost
from allocator.priced.limits import SharedLimits
from allocator.program.resources import SharedPiece, compile_resources, resource_data
from allocator.program.stamp import LAW_NAMES
from tests.priced.made import network_of, source_of

SHARED = ("vehicles", "capacities", "admission", "fill")


@cache
def _case(case: str) -> tuple[SharedLimits, SharedPiece]:
    with TemporaryDirectory() as folder:
        network = network_of(case, Path(folder))
        source = source_of(case, Path(folder))
    return source.limits, compile_resources(source.structure, resource_data(network, build_prices(network)))


def _model(piece: SharedPiece, limits: SharedLimits, use: np.ndarray, whole: bool) -> float | None:
    """The shared block's optimum with every use given; None when it has none."""
    columns = np.concatenate([piece.uses[name] for name in piece.uses])
    lower, upper = piece.lower.copy(), piece.upper.copy()
    assert len(columns) == limits.count
    lower[columns] = upper[columns] = use
    at = piece.row.astype(np.int32), piece.column.astype(np.int32)  # milp of scipy 1.14 takes no wider indices
    matrix = csr_array((piece.value, at), (len(piece.row_lower), len(piece.cost)))
    rows = [LinearConstraint(matrix, piece.row_lower, piece.row_upper)] if matrix.shape[0] else []
    found = milp(piece.cost, bounds=Bounds(lower, upper), constraints=rows, integrality=piece.integer & whole)
    return float(found.fun) if found.success else None


@pytest.mark.parametrize("case", SHARED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_cost_of_a_use_is_the_shared_blocks_optimum(case: str, data: st.DataObject) -> None:
    """With uses given, the linear shared block costs what the formula says; it has no plan just where a hard limit is broken."""
    limits, piece = _case(case)
    size = np.where(np.isfinite(limits.limit), np.maximum(limits.limit, 0.01), 0.05)
    share = data.draw(
        st.lists(st.sampled_from([0.0, 0.3, 0.99, 1.0, 1.5]), min_size=limits.count, max_size=limits.count)
    )
    use = size * np.array(share)
    broken = limits.hard & np.isfinite(limits.limit) & (use > limits.limit * (1 + 1e-6))
    model = _model(piece, limits, use, whole=False)
    if broken.any():
        assert model is None
        use = np.where(broken, limits.limit, use)
        model = _model(piece, limits, use, whole=False)
    assert limits.cost(use) == pytest.approx(model, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("case", SHARED)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_cost_with_whole_vehicles_is_the_shared_blocks_whole_optimum(case: str, seed: int) -> None:
    """Whole vehicles of the commit window are paid for whole on top of the base prices."""
    limits, piece = _case(case)
    size = np.where(np.isfinite(limits.limit), np.maximum(limits.limit, 0.0), 0.05)
    use = size * np.random.default_rng(seed).random(limits.count)
    model = _model(piece, limits, use, whole=True)
    assert float(limits.base @ use) + shared_cost(limits, use) == pytest.approx(model, rel=1e-7, abs=1e-7)


def test_hard_limits_are_dearer_than_all_that_breaking_them_saves() -> None:
    """A m3 over a hard limit costs more than a m3 over storage and inbound on all days together; else full sites would be emptied that way."""
    limits, _ = _case("capacities")
    law = {name: limits.law == LAW_NAMES.index(name) for name in ("use_outbound", "use_storage", "use_inbound")}
    at_dc = limits.key[:, 0] == 0
    elastic = (law["use_storage"] | law["use_inbound"]) & at_dc
    assert elastic.sum() >= 4
    assert limits.hard[law["use_outbound"]].all()
    assert limits.highest[law["use_outbound"]].min() > limits.highest[elastic].sum()


def test_limits_number_the_uses_as_the_laws_do() -> None:
    """First uses, laws and keys agree, so that a use's number is its law's start and its place."""
    limits, piece = _case("capacities")
    for law, first in limits.start.items():
        mine = np.flatnonzero(limits.law == law)
        assert mine.tolist() == list(range(first, first + len(mine)))
    assert limits.count == sum(len(columns) for columns in piece.uses.values())
