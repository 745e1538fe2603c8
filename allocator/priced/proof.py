"""Prove a priced plan's bound again from its certificate and its own network, trusting nothing that the run said.

Weak duality: at any prices from 0 to what overdrawing costs, the items' least costs, less prices times limits, bound every plan from below; and any
row duals prove such a least cost (:func:`allocator.priced.bound.safe_bound`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.priced.engine import Setting, build_source, staffed
from allocator.priced.rounds import ask
from allocator.priced.sample import SHARDS, cut
from allocator.priced.source import Source
from allocator.priced.worth import resource_names

FloatArray = NDArray[np.float64]

SEVERAL = "the plan is over several outlooks, and carries no prices that prove the bound of their expected cost; only plans of the priced engine do"
CLOSE = 1e-6
"""Relative difference that two solvers' duals and sums in another order may make."""


@dataclass(frozen=True)
class Proof:
    """What became of a bound.

    Attributes
    ----------
    note : str
        What was looked at, and what it comes to.
    findings : tuple of str
        What the certificate says and its prices do not prove; one line each.
    stated : float or None
        Bound of the certificate. [currency]
    proven : float or None
        What its prices prove, when all shards were priced again; of a sample, with the other shards at their word. [currency]
    checked, shards, items : int
        Shards priced again, of how many, and their items.
    """

    note: str
    findings: tuple[str, ...] = ()
    stated: float | None = None
    proven: float | None = None
    checked: int = 0
    shards: int = 0
    items: int = 0

    @property
    def ok(self) -> bool:
        """Whether all that was looked at is proven."""
        return not self.findings


def prove_bound(
    network: Network,
    certificate: Mapping[str, Any],
    sample: int | None = None,
    workers: int = 1,
    seed: int | None = None,
) -> Proof:
    """Prove the bound of a certificate again.

    Parameters
    ----------
    network : Network
        Built anew from the plan's own tables.
    certificate : mapping
        certificate.json. Over several outlooks the bound of their expected cost is proven.
    sample : int, optional
        Shards that are priced again, drawn by chance; None: all, which proves the bound without the run's word for anything.
    workers : int
    seed : int, optional
        Of the draw; None: another draw each time.

    Returns
    -------
    Proof
    """
    over = ""
    if network.outlooks.count > 1:
        # the bound on the mean demand holds for the commit window as decided; what the plan is judged by is the expected cost over the outlooks
        certificate, over = _expected(certificate), f", expected cost over {network.outlooks.count} outlooks"
        if certificate.get("multipliers") is None:
            return Proof(SEVERAL, stated=certificate.get("bound"))
    stated = certificate.get("bound")
    papers = certificate.get("multipliers")
    if stated is None:
        return Proof("no bound is stated: there is nothing to prove")
    if not isinstance(stated, int | float):
        return Proof("the certificate can't be read", (f"bound: expected a number, found {stated!r}",))
    if papers is None:
        return Proof(_word(certificate), stated=float(stated))
    source = build_source(network)
    stood = papers.get("shards")  # more than usual where memory was limited
    shards = cut(network, stood) if isinstance(stood, int) and stood > SHARDS else cut(network)
    findings = _malformed(papers, len(shards), source.limits.count)
    if findings:
        return Proof("the certificate's prices can't be read", tuple(findings), float(stated))
    price = np.zeros(source.limits.count)
    price[np.array(papers["resources"], dtype=np.int64)] = papers["prices"]
    said = np.array(papers["shard_bounds"], dtype=np.float64)
    findings = _bad_prices(network, source, papers, price)
    if findings:
        return Proof("its prices prove nothing", tuple(findings), float(stated))
    count = len(shards) if sample is None else min(sample, len(shards))
    chosen = np.sort(np.random.default_rng(seed).permutation(len(shards))[:count])
    found = _priced_again(source, [shards[k] for k in chosen.tolist()], price, workers)
    size = np.array([len(shards[k]) for k in chosen.tolist()])
    findings = _too_high(chosen, size, said[chosen], found)
    parts = said.copy()
    parts[chosen] = np.minimum(found, said[chosen]) if sample is not None else found
    proven = _total(parts, price, source)
    findings += _verdict(certificate, float(stated), proven, count == len(shards))
    items = int(size.sum())
    note = f"{count} of {len(shards)} shards ({items:,} items) priced again, {len(papers['prices']):,} resources with a price{over}"
    return Proof(note, tuple(findings), float(stated), proven, count, len(shards), items)


def _expected(certificate: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a certificate says of the expected cost over its outlooks, in the words it uses for a plan."""
    told = certificate.get("outlooks")
    if not isinstance(told, Mapping):
        return {}
    return {
        "bound": told.get("bound"),
        "objective": told.get("expected_objective"),
        "multipliers": told.get("multipliers"),
    }


def _word(certificate: Mapping[str, Any]) -> str:
    """A bound without prices: whose word it is."""
    if certificate.get("proof") == "lp":
        return "the bound is the optimum of a linear program, by HiGHS's word; only plans of the priced engine carry prices that prove theirs"
    return (
        "the bound is HiGHS's word, by branch and bound; only plans of the priced engine carry prices that prove theirs"
    )


def _malformed(papers: Mapping[str, Any], shards: int, resources: int) -> list[str]:
    """What keeps the prices from being read at all."""
    lists = {name: papers.get(name) for name in ("resources", "names", "prices", "shard_bounds")}
    missing = [name for name, value in lists.items() if not isinstance(value, list)]
    if missing:
        return [f"multipliers: expected the lists {', '.join(lists)}, found no {', '.join(missing)}"]
    found = []
    if not len(papers["resources"]) == len(papers["names"]) == len(papers["prices"]):
        found.append(
            f"multipliers: expected as many names and prices as resources, found {len(papers['names'])} and {len(papers['prices'])} "
            f"for {len(papers['resources'])}"
        )
    if len(papers["shard_bounds"]) != shards:
        found.append(
            f"multipliers: expected bounds of {shards} shards of this network, found {len(papers['shard_bounds'])}"
        )
    numbers = papers["resources"]
    if not all(isinstance(r, int) and 0 <= r < resources for r in numbers) or len(set(numbers)) < len(numbers):
        found.append(f"multipliers: expected resources from 0 to {resources - 1}, none twice")
    if not all(isinstance(v, int | float) for name in ("prices", "shard_bounds") for v in papers[name]):
        found.append("multipliers: expected numbers as prices and shard bounds")
    return found


def _bad_prices(network: Network, source: Source, papers: Mapping[str, Any], price: FloatArray) -> list[str]:
    """Prices that prove nothing, or are not those of the resources they name."""
    limits = source.limits
    at = np.array(papers["resources"], dtype=np.int64)
    names = resource_names(network, limits, at)
    found = []
    for k, (r, name) in enumerate(zip(at.tolist(), names, strict=True)):
        most = float(limits.highest[r])
        if papers["names"][k] != name:
            found.append(
                f"resource {r}: the certificate prices '{papers['names'][k]}', this network has '{name}' there"
            )
        elif not (math.isfinite(price[r]) and 0 <= price[r] <= most * (1 + 1e-9)):
            found.append(f"price of {name}: expected 0 to {most:.6g}, what overdrawing it costs, found {price[r]:.6g}")
        elif price[r] > 0 and not math.isfinite(limits.limit[r]):
            found.append(f"price of {name}: expected none, as it has no limit, found {price[r]:.6g}")
    return found


def _priced_again(source: Source, shards: list[NDArray[np.int64]], price: FloatArray, workers: int) -> FloatArray:
    """(k,) bounds of some shards, every item stamped anew and solved cold. [currency]"""
    with staffed(source, shards, Setting(gap=0.0, workers=workers)) as crew:
        found = ask(crew, list(range(len(shards))), price, np.inf, "proof", keep=False)
    assert found is not None  # without an end of time every shard answers
    return found.bound


def _too_high(chosen: NDArray[np.int64], size: NDArray[np.int64], said: FloatArray, found: FloatArray) -> list[str]:
    """Shards whose bound is not what their items prove."""
    room = CLOSE * (size + np.abs(found))
    wrong = np.flatnonzero(~(said <= found + room))
    return [
        f"shard {int(chosen[k])} ({int(size[k])} items): the certificate says {said[k]:.9g}, at its prices the items prove {found[k]:.9g}"
        for k in wrong.tolist()
    ]


def _total(parts: FloatArray, price: FloatArray, source: Source) -> float:
    """Bound of the whole network from its shards' parts, as in :meth:`allocator.priced.rounds.Climb.take`. [currency]"""
    priced = price > 0
    return float(parts.sum() - price[priced] @ source.limits.limit[priced]) + source.limits.constant


def _verdict(certificate: Mapping[str, Any], stated: float, proven: float, every: bool) -> list[str]:
    found = []
    if not stated <= proven + CLOSE * max(1.0, abs(proven)):
        how = "its prices prove" if every else "its prices and shard bounds come to"
        found.append(f"bound: the certificate says {stated:.9g}, {how} {proven:.9g}")
    objective = float(certificate.get("objective", math.nan))
    if not stated <= objective + CLOSE * max(1.0, abs(objective)):
        found.append(f"bound: {stated:.9g} is above the plan's own cost, {objective:.9g}")
    return found
