"""Every rule the audit checks, what it found, and the notebook the checks write in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from allocator.audit.keys import Flags, Floats, floats

Place = Callable[[int], str]  # a row's position -> where that is, in words

TOLERANCE = 1e-6
WORST = 20  # findings written out for each rule; the rest are counted

RULES: MappingProxyType[str, str] = MappingProxyType(
    {
        "files": "Every file named in manifest.json is there and has the SHA-256 that it states.",
        "columns": "Every table of the plan is there, with the columns that docs/semantics.md names.",
        "keys": "No key stands twice in a table of the plan.",
        "codes": "Every item, site, lane, channel, zone, claim and lot in the plan is known to the network.",
        "dates": "Every date lies in the horizon, and on the first day of its bucket where a table counts by bucket.",
        "quantities": "Quantities are finite and not negative; those of moves and unmet are above 0.",
        "quanta": "Quantities are whole multiples of the item's quantum.",
        "lane_open": "A shipment goes by a lane that is open to its item.",
        "carried": "A shipment goes only to a site that carries its item.",
        "departure": "A shipment leaves on the first departing day of its bucket.",
        "arrival": "A shipment arrives its lane's lead time after it left.",
        "horizon": "A shipment arrives inside the horizon, unless a lock names it.",
        "packs": "packs is quantity / pack size (1 where any quantity may go), and whole inside the commit window.",
        "min_quantity": "Inside the commit window a shipment is at least min_quantity, unless a fix lock names it.",
        "committed": "The committed flag is set exactly inside the commit window.",
        "method": "A shipment's method is its lane's method for the item, where that is not auto.",
        "lane_volume": "The volume on a lane is at most its daily volume times the departing days of the bucket.",
        "outbound": "The volume that leaves a site, shipped or served, is at most its outbound volume.",
        "outbound_units": "The units that leave a site, shipped or served, are at most its outbound units.",
        "inbound": "The volume that comes in at a site is at most its inbound volume, or an exception covers it.",
        "storage": "Closing stock and unusable lots fit in the site, or an exception covers the excess.",
        "min_stock": "Closing stock is at least the minimum stock, or an exception covers the shortage.",
        "max_stock": "Closing stock is at most the maximum stock, or an exception covers the excess.",
        "lock": "A fix or min lock is met, or an exception covers the shortfall; a fix or max lock is never exceeded.",
        "pull": "Pull lanes carry no more than firm demand and the calls of backlog ask for.",
        "jit": "What arrives by jit lanes in a bucket leaves the site in that bucket.",
        "fulfilment": "Demand is served only from sites with a fulfilment row for its channel and zone.",
        "demand": "Served, lost and waiting units of every claim add up to its demand.",
        "demand_age": "Demand is served from its due bucket until its wait is over, oldest first, and lost only then.",
        "unmet_cost": "The cost in unmet is the quantity lost times the claim's unmet cost; what waits costs 0 there.",
        "admission_units": "A channel draws at most max_units a day from a site.",
        "admission_share": "A channel draws at most max_share of the item's opening stock and what came in.",
        "min_fill": "A channel's fill rate is at least its minimum, or an exception covers the shortfall.",
        "balance": "Closing stock is opening stock plus what came in, less what left and what expired.",
        "stock": "Stock is never below zero.",
        "projections": "Every item and site with stock, policy or flow has a projection in every bucket.",
        "below_min": "below_min is the shortage of closing stock against the minimum stock.",
        "reserves": "What is held back at a site is at most its closing stock.",
        "lot_on_hand": "A move takes a lot that is on hand there at that time, in at least that quantity.",
        "lot_eligible": "A lot lives until it arrives, or until delivery plus the channel's minimum remaining life.",
        "lot_sums": "The lots of a shipment or an admission add up to its quantity.",
        "waste": "Waste in lot_moves and projections is what is left of each lot when its expiry bucket ends.",
        "lot_rule": "A move states its item's rotation rule, or PLANNED.",
        "lot_order": "No move skips a lot that the rotation rule puts first.",
        "ledger": "The ledger holds each lot move once, under an id of its own.",
        "exceptions": "Every exception is real and states the amount and the cost that the audit finds.",
        "kpis": "The network's KPIs are what the plan's tables give.",
        "components": "Every component of the objective is what the plan's tables give.",
        "objective": "The objective is the sum of its recomputed components.",
        "bound": "The proven bound is not above the objective.",
        "gap": "The gap is (objective - bound) / max(|objective|, 1).",
    }
)

_MONEY = frozenset({"kpis", "components", "objective", "bound", "gap", "unmet_cost", "files", "columns"})


@dataclass(frozen=True)
class AuditFinding:
    """One broken rule at one place.

    Attributes
    ----------
    rule : str
        Name of the rule, a key of `RULES`.
    where : str
        The place in the plan.
    expected, found : str
        What the rule asks for and what the plan says.
    amount : float
        Size of the difference, in the unit of what was compared; 1 for a wrong word or flag.
    """

    rule: str
    where: str
    expected: str
    found: str
    amount: float

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: expected {self.expected}, found {self.found}. {RULES[self.rule]}"


@dataclass(frozen=True)
class AuditReport:
    """What the audit found.

    Attributes
    ----------
    findings : tuple of AuditFinding
        The worst places of every broken rule, in the order of `RULES`.
    largest_violation : float
        Largest difference found in any rule on quantities, volumes and words, those inside the tolerance included.
    objective : dict of str to float, [currency]
        Recomputed components of the objective and their `total`; empty when the plan could not be read.
    checked : dict of str to int
        How many places each rule was checked at.
    broken : dict of str to int
        How many places each broken rule was broken at.
    """

    findings: tuple[AuditFinding, ...]
    largest_violation: float
    objective: dict[str, float]
    checked: dict[str, int]
    broken: dict[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Tell whether no rule is broken."""
        return not self.findings


def amount_text(value: Any) -> str:
    """Write a value for a planner: whole numbers whole, others to nine figures."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:.9g}"
    return str(value)


class Notebook:
    """Collects findings and counts while the checks run."""

    def __init__(self) -> None:
        self.findings: dict[str, list[AuditFinding]] = {rule: [] for rule in RULES}
        self.checked: dict[str, int] = dict.fromkeys(RULES, 0)
        self.broken: dict[str, int] = {}
        self.largest = 0.0

    def says(self, rule: str, where: str, expected: str, found: str, amount: float = 1.0) -> None:
        """Write down one finding."""
        self.broken[rule] = self.broken.get(rule, 0) + 1
        self._measure(rule, amount)
        if len(self.findings[rule]) < WORST:
            self.findings[rule].append(AuditFinding(rule, where, expected, found, amount))

    def count(self, rule: str, places: int) -> None:
        """Add to the number of places a rule was checked at."""
        self.checked[rule] += places

    def equal(self, rule: str, expected: Any, found: Any, where: Place, tolerance: float = TOLERANCE) -> Flags:
        """Check that two arrays agree; relative tolerance, absolute below 1. Gives the rows that agree."""
        want, have = floats(expected), floats(found)
        gap = np.abs(have - want)
        gap = np.where(np.isnan(gap), np.inf, gap)
        return self._judge(rule, gap, want, have, where, tolerance, "")

    def at_most(self, rule: str, found: Any, limit: Any, where: Place, tolerance: float = TOLERANCE) -> Flags:
        """Check that no value is above its limit. Gives the rows that keep to it."""
        have, most = floats(found), np.broadcast_to(floats(limit), np.shape(found))
        with np.errstate(invalid="ignore"):
            over = np.where(np.isposinf(most), 0.0, np.maximum(have - most, 0.0))
        over = np.where(np.isnan(over), np.inf, over)
        return self._judge(rule, over, most, have, where, tolerance, "at most ")

    def at_least(self, rule: str, found: Any, limit: Any, where: Place, tolerance: float = TOLERANCE) -> Flags:
        """Check that no value is below its limit. Gives the rows that keep to it."""
        have, least = floats(found), np.broadcast_to(floats(limit), np.shape(found))
        under = np.maximum(least - have, 0.0)
        under = np.where(np.isnan(under), np.inf, under)
        return self._judge(rule, under, least, have, where, tolerance, "at least ")

    def true(self, rule: str, good: Flags, where: Place, expected: Any, found: Any, amount: Any = None) -> None:
        """Check a condition on every row; `expected` and `found` are words, or give them by row position."""
        self.count(rule, len(good))
        bad = np.flatnonzero(~good)
        if not len(bad):
            return
        self.broken[rule] = self.broken.get(rule, 0) + len(bad)
        sizes = np.ones(len(bad)) if amount is None else floats(amount)[bad]
        self._measure(rule, float(sizes.max()))
        for k in bad[: WORST - len(self.findings[rule])] if len(self.findings[rule]) < WORST else ():
            size = 1.0 if amount is None else float(floats(amount)[k])
            self.findings[rule].append(
                AuditFinding(rule, where(int(k)), _word(expected, int(k)), _word(found, int(k)), size)
            )

    def report(self, objective: dict[str, float]) -> AuditReport:
        """Close the notebook."""
        every = tuple(finding for rule in RULES for finding in _worst(self.findings[rule]))
        return AuditReport(every, self.largest, objective, dict(self.checked), dict(self.broken))

    def _judge(
        self, rule: str, size: Floats, want: Floats, have: Floats, where: Place, tolerance: float, word: str
    ) -> Flags:
        self.count(rule, len(size))
        if not len(size):
            return np.ones(0, dtype=bool)
        with np.errstate(invalid="ignore"):
            finite = np.where(np.isfinite(want), np.abs(want), 1.0)
        good = size <= tolerance * np.maximum(1.0, finite)
        self._measure(rule, float(size.max()))
        bad = np.flatnonzero(~good)
        if len(bad):
            self.broken[rule] = self.broken.get(rule, 0) + len(bad)
            for k in bad[np.argsort(-size[bad], kind="stable")[:WORST]]:
                said = AuditFinding(
                    rule, where(int(k)), word + amount_text(want[k]), amount_text(have[k]), float(size[k])
                )
                self.findings[rule].append(said)
            self.findings[rule] = _worst(self.findings[rule])
        return good

    def _measure(self, rule: str, amount: float) -> None:
        if rule not in _MONEY:
            self.largest = max(self.largest, amount)


def _worst(findings: list[AuditFinding]) -> list[AuditFinding]:
    """Keep the largest findings; a rule may be checked many times, a run of items after another."""
    return findings if len(findings) <= WORST else sorted(findings, key=lambda said: -said.amount)[:WORST]


def _word(value: Any, position: int) -> str:
    if callable(value):
        return amount_text(value(position))
    if isinstance(value, np.ndarray):
        return amount_text(value[position])
    return amount_text(value)
