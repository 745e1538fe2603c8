"""The rules engine: the planner's rules of thumb, bucket by bucket."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Quantities
from allocator.network.network import JIT, Network
from allocator.rules.called import Called
from allocator.rules.expedite import Expediter
from allocator.rules.lawful import broken_calls, broken_jit
from allocator.rules.needs import Needs
from allocator.rules.replenish import Replenisher
from allocator.rules.serving import Servant
from allocator.rules.shares import Rule
from allocator.rules.shipping import Shipper, Standing
from allocator.rules.sourcing import Sourcing
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]

TRIES = 4
"""Times that jit shipments are cut to what really left before they are given up."""


def plan_by_rules(network: Network, rule: Rule = Rule.A) -> Quantities:
    """Plan a network by rules of thumb.

    Each bucket: receipts and shipments come in; open demand is served by priority, firm before forecast, from its home
    site first; sites ask for what they lack until the next departure arrives, from the cheapest lane first; a site that
    has too little shares it by the rule, in whole packs.

    Parameters
    ----------
    network : Network
    rule : Rule
        How a site shares what is too little.

    Returns
    -------
    Quantities
        Within every hard rule of docs/semantics.md; whole in quanta and packs. The same input gives the same plan.
    """
    sourcing = Sourcing(network)
    needs = Needs(network, sourcing)
    standing = Standing(np.maximum(sourcing.downstream(needs.asked[-1]), 1e-9), sourcing.first_priority())
    long_calls, jit_most = True, _no_limit(network)
    attempt = 0
    while True:
        plan = _simulate(network, sourcing, needs, standing, rule, long_calls, jit_most)
        # jit shipments and calls rest on what is expected to happen by the time they arrive: where it didn't, they are cut
        calls_broken = long_calls and broken_calls(network, sourcing, plan)
        excess = broken_jit(network, plan) if jit_most is not None else None
        if calls_broken:
            long_calls = False
        if excess is not None and jit_most is not None and excess.broken.any():
            attempt += 1
            jit_most[excess.broken] = excess.left[excess.broken] if attempt <= TRIES else 0.0
        elif not calls_broken:
            return plan


def _no_limit(network: Network) -> FloatArray | None:
    """(T, S, I) without a limit yet; None where nothing moves by jit."""
    items, sites, buckets = network.size
    return np.full((buckets, sites, items), np.inf) if (network.lanes.method == JIT).any() else None


def _simulate(
    network: Network,
    sourcing: Sourcing,
    needs: Needs,
    standing: Standing,
    rule: Rule,
    long_calls: bool,
    jit_most: FloatArray | None,
) -> Quantities:
    stage = Stage(network, sourcing)
    servant = Servant(stage)
    called = Called(stage, long_calls)
    shipper = Shipper(stage, called, rule, standing, jit_most)
    replenisher = Replenisher(stage, needs, servant, shipper)
    expediter = Expediter(stage, servant, shipper)
    for bucket in range(network.calendar.buckets):
        stage.begin(bucket)
        called.begin()
        shipper.honour_locks()
        servant.serve_all()
        replenisher.replenish()
        servant.serve_all()
        expediter.expedite()
        shipper.honour_locks()
        stage.close()
    return stage.quantities()
