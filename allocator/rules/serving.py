"""Serve open demand: by priority, firm before forecast, from the home site first and then by fulfilment cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.rules.room import fit
from allocator.rules.shares import round_down
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Servant:
    """Serves claims from sites."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        claims = stage.network.claims
        count = len(claims.channel)
        self.order = np.lexsort((np.arange(count), ~claims.firm, claims.priority))
        by_cost = np.lexsort((claims.arc_site, claims.arc_cost))
        self.arcs: list[list[int]] = [[] for _ in range(count)]
        for arc in by_cost:
            self.arcs[claims.arc_claim[arc]].append(int(arc))
        home = stage.sourcing.home
        self.at_home = {
            arc: home[claim] == arc
            for claim, arcs in enumerate(self.arcs)
            for arc in arcs
            if (home[claim] == arc).any()
        }
        self.keep = stage.network.policies.min_stock.T
        """(S, I) stock that is not for sale: a unit below it costs more each day than any sale earns. [units]"""

    def serve_all(self) -> float:
        """Serve what can be served, and say how much that was. [units]"""
        before = float(self.stage.gone.sum())
        wanted: BoolArray = np.asarray((self.stage.open > 0).any(axis=1))
        for claim in self.order:
            if not wanted[claim]:
                continue
            arcs = self.arcs[claim]
            for arc in arcs:
                if arc in self.at_home:
                    self._serve(arc, self.at_home[arc])
            for arc in arcs:
                if not self.stage.open[claim].any():
                    break
                self._serve(arc, None)
        return float(self.stage.gone.sum()) - before

    def serve_at(self, site: int) -> None:
        """Serve a site's own customers."""
        stage = self.stage
        wanted: BoolArray = np.asarray((stage.open > 0).any(axis=1))
        for claim in self.order:
            arc = int(stage.arc_of[site, claim])
            if wanted[claim] and arc in self.at_home:
                self._serve(arc, self.at_home[arc])

    def _serve(self, arc: int, mask: BoolArray | None) -> None:
        """Serve a claim over one arc: the items at home there (``mask``), or all."""
        stage, network = self.stage, self.stage.network
        claims, t = network.claims, stage.bucket
        site, claim = int(claims.arc_site[arc]), int(claims.arc_claim[arc])
        wanted = stage.open[claim] if mask is None else np.where(mask, stage.open[claim], 0.0)
        if not (np.minimum(wanted, stage.shelf.total[site]) > 0).any():
            return
        channel = int(claims.channel[claim])
        day = int(network.calendar.first[t] + claims.arc_delivery[arc] + claims.arc_life[arc])
        usable = stage.shelf.usable(site, day)
        usable = np.minimum(usable, np.maximum(stage.shelf.total[site] - self.keep[site], 0.0))
        share = float(network.limits.max_share[site, channel, t])
        if stage.drawn is not None and share < np.inf:
            usable = np.minimum(usable, np.maximum(share * stage.stocked[site] - stage.drawn[site, channel], 0.0))
        quantity = round_down(np.minimum(wanted, usable), network.quantum)
        room, ones = stage.room, np.ones(len(quantity))
        quantity = fit(quantity, ones, network.quantum, float(room.admission[site, channel, t]))
        quantity = fit(quantity, ones, network.quantum, float(room.units[site, t]))
        quantity = fit(quantity, network.unit_volume, network.quantum, float(room.outbound[site, t]))
        if quantity.any():
            stage.serve(arc, quantity, day)
