"""An explanation as data, and as one page for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from allocator.report.words import amount, day, money, number, reason, share

if TYPE_CHECKING:
    from allocator.explain.counterfactual import Instead

WIDTH = 92
TOP = 6  # lines a section may take on the page


@dataclass(frozen=True)
class Asked:
    """Demand of one channel that the site may serve; `here` is what the site served of it, [units]."""

    channel: str
    zones: list[str]
    forecast: float
    firm: float
    here: float
    elsewhere: float
    late: float
    lost: float
    waiting: float


@dataclass(frozen=True)
class Policy:
    """What the stock policy asks, [units]; no `max_stock` is None."""

    carried: bool
    min_stock: float
    safety_stock: float
    max_stock: float | None


@dataclass(frozen=True)
class Upstream:
    """A site that a lane leads from: what it had and what it sent here, [units]."""

    origin: str
    mode: str
    lead_time_days: int
    opening: float
    receipts: float
    sent_here: float
    left: float


@dataclass(frozen=True)
class LotPart:
    """The part of a shipment that one lot fills."""

    lot: str
    quantity: float
    expiry_date: str | None


@dataclass(frozen=True)
class Arrival:
    """A shipment that came to the site."""

    origin: str
    mode: str
    ship_date: str
    arrive_date: str
    quantity: float
    method: str
    lots: list[LotPart]


@dataclass(frozen=True)
class Unmet:
    """Units of the site's demand that were lost, or wait at the end, and why."""

    channel: str
    zone: str
    quantity: float
    reason: str
    status: str
    first: str


@dataclass(frozen=True)
class Binding:
    """A tight resource on the item's way: its price in words, and the figures."""

    sentence: str
    resource: str
    where: str
    date: str | None
    price: float
    use: float | None
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Limit:
    """An admission limit that applies to the site."""

    channel: str
    site: str
    date: str
    max_units: float | None
    max_share: float | None


@dataclass(frozen=True)
class Lock:
    """A planner's lock on a lane into or out of the site."""

    lock: str
    kind: str
    origin: str
    destination: str
    date: str
    quantity: float
    reason: str
    planner: str


@dataclass(frozen=True)
class Use:
    """Another use of the item: its highest bid price, [currency/unit], and the units that went there."""

    site: str
    channel: str
    bid_price: float
    date: str
    quantity: float


@dataclass(frozen=True)
class Explanation:
    """Why a site got what it got of an item.

    Attributes
    ----------
    item, site, description, kind, currency, start, end : str
        What is explained, over which days.
    opening, receipts, shipped_in, shipped_out, served, waste, closing : float, [units]
        The site's balance over the horizon: what it had, what came, what left, what remains.
    asked, policy, upstream, arrivals, unmet, binding, limits, locks, gave : list
        What was asked, what there was, and what stood in the way.
    bid_price : float or None, [currency/unit]
        What one more unit at the site is worth at its highest.
    next_best : list of Use
        Other uses of the item, highest bid price first.
    instead : Instead or None
        What another quantity would cost, where that was asked.
    """

    item: str
    site: str
    description: str
    kind: str
    currency: str
    start: str
    end: str
    opening: float
    receipts: float
    shipped_in: float
    shipped_out: float
    served: float
    waste: float
    closing: float
    asked: list[Asked]
    policy: Policy
    upstream: list[Upstream]
    arrivals: list[Arrival]
    unmet: list[Unmet]
    binding: list[Binding]
    limits: list[Limit]
    locks: list[Lock]
    gave: list[str]
    bid_price: float | None
    next_best: list[Use]
    instead: Instead | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain data for JSON: dates as ISO days, what is missing as None."""
        return asdict(self)

    def text(self) -> str:
        """Write one page for a terminal."""
        title = f"{self.item} at {self.site}" + (f" ({self.description})" if self.description else "")
        lines = [*_wrapped(title, ""), f"{day(self.start)} to {day(self.end)}", "", *_wrapped(self.verdict(), ""), ""]
        for heading, body in self.sections():
            if body:
                lines += [heading, *[line for sentence in body for line in _wrapped(sentence, "  ")], ""]
        return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in lines).rstrip() + "\n"

    def verdict(self) -> str:
        """Say in a sentence or two why the site got this much."""
        wanted = sum(one.forecast + one.firm for one in self.asked)
        lost = sum(one.lost for one in self.asked)
        came = self.shipped_in + self.receipts
        said = f"The site had {amount(self.opening)} and got {amount(came)} more"
        said += f" for {amount(wanted)} asked for; it served {amount(self.served)}"
        said += f", sent {amount(self.shipped_out)} on" if self.shipped_out else ""
        said += f", lost {amount(self.waste)} to expiry" if self.waste else ""
        said += f" and ends with {amount(self.closing)}."
        if lost:
            causes: dict[str, float] = {}
            for gone in self.unmet:
                if gone.status == "lost":
                    causes[gone.reason] = causes.get(gone.reason, 0.0) + gone.quantity
            why = max(sorted(causes), key=lambda code: causes[code]) if causes else ""
            return f"{said} {amount(lost)} of that demand is lost" + (
                f", mostly for this reason: {reason(why)}." if why else "."
            )
        late = sum(one.late + one.waiting for one in self.asked)
        if wanted and not late:
            return f"{said} All of that demand is served on its day, so no demand called for more."
        return f"{said} {amount(late)} of it is served late or still waits." if late else said

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Give each heading with its lines; a heading may have none."""
        if self.instead is not None:
            yield "Why not another quantity", [self.instead.verdict()]
            yield "What it would cost", self.instead.cost_lines()
            yield "Whom it would be taken from", self.instead.change_lines()
            yield "What would change it", self.instead.range_lines()
        yield "What was asked", [*_short([self._asked(one) for one in self.asked]), self._policy()]
        yield "What there was upstream", _short([_upstream(one) for one in self.upstream])
        yield "What came", _short([_arrival(one) for one in self.arrivals])
        yield "What was not served", _short([_unmet(one) for one in self.unmet])
        yield "What stood in the way", _short(self._bindings())
        yield "Admission limits that apply", _short([_limit(one) for one in self.limits])
        yield "Locks", _short([_lock(one) for one in self.locks])
        yield "What gave", _short(self.gave)
        yield "The next best use", self._next_best()

    def _asked(self, one: Asked) -> str:
        zones = one.zones[0] if len(one.zones) == 1 else f"{len(one.zones)} zones"
        wanted = f"{amount(one.forecast)} forecast, {amount(one.firm)} firm"
        said = f"{one.channel}, {zones}: {wanted}; {amount(one.here)} served here"
        parts = [
            (one.elsewhere, "from other sites"),
            (one.late, "of it late"),
            (one.waiting, "still waiting"),
            (one.lost, "lost"),
        ]
        rest = [f"{amount(units)} {words}" for units, words in parts if units > 1e-6]
        return ", ".join([said, *rest])

    def _policy(self) -> str:
        if not self.policy.carried:
            return "policy: not carried here, so nothing is shipped in"
        most = "" if self.policy.max_stock is None else f", at most {amount(self.policy.max_stock)}"
        return (
            f"policy: at least {amount(self.policy.min_stock)}, safety stock {amount(self.policy.safety_stock)}{most}"
        )

    def _bindings(self) -> list[str]:
        """Tell each resource once, on its dearest day, and on how many more days it is tight."""
        groups: dict[tuple[str, str], list[Binding]] = {}
        for one in self.binding:
            groups.setdefault((one.resource, one.where), []).append(one)
        lines = []
        for same in groups.values():
            more = len(same) - 1
            rest = f", tight on {more} more day{'s' if more > 1 else ''}" if more else ""
            lines.append(self._binding(same[0]) + rest)
        return lines

    def _binding(self, one: Binding) -> str:
        used = (
            ""
            if one.limit is None or one.use is None
            else f" ({amount(one.use)} of {amount(one.limit)} {one.unit} used)"
        )
        return one.sentence + used

    def _next_best(self) -> list[str]:
        if not self.next_best:
            return []
        first = "one more unit here has no price in this plan"
        if self.bid_price is not None:
            first = f"one more unit here is worth up to {money(self.bid_price, self.currency, 2)}"
        uses = [
            f"{one.channel} at {one.site}: up to {money(one.bid_price, self.currency, 2)} a unit on {day(one.date)}, "
            f"{number(one.quantity)} units went there"
            for one in self.next_best[:3]
        ]
        return [first, *uses]


def _short(lines: Sequence[str]) -> list[str]:
    kept = list(lines[:TOP])
    return [*kept, f"and {len(lines) - TOP} more"] if len(lines) > TOP else kept


def _wrapped(sentence: str, margin: str) -> list[str]:
    return textwrap.wrap(sentence, WIDTH, initial_indent=margin, subsequent_indent=f"{margin}  ") or [""]


def _upstream(one: Upstream) -> str:
    mode = f" ({one.mode})" if one.mode != "standard" else ""
    days = (
        "same day"
        if one.lead_time_days == 0
        else f"{one.lead_time_days} day{'s' if one.lead_time_days > 1 else ''} away"
    )
    return (
        f"{one.origin}{mode}, {days}: {amount(one.opening)} on hand, {amount(one.receipts)} on receipt; "
        f"sent {amount(one.sent_here)} here, ends with {amount(one.left)}"
    )


def _arrival(one: Arrival) -> str:
    lots = ", ".join(
        f"{amount(part.quantity)} of lot {part.lot}"
        + (f" (expires {day(part.expiry_date)})" if part.expiry_date else "")
        for part in one.lots[:3]
    )
    more = f" and {len(one.lots) - 3} more lots" if len(one.lots) > 3 else ""
    came = (
        f"{day(one.arrive_date)}: {amount(one.quantity)} from {one.origin} by {one.method}, sent {day(one.ship_date)}"
    )
    return f"{came}; {lots}{more}" if lots else came


def _unmet(one: Unmet) -> str:
    what = "lost" if one.status == "lost" else "waiting at the end"
    why = reason(one.reason)
    return f"{one.channel}, {one.zone}: {amount(one.quantity)} {what} from {day(one.first)}: {why}"


def _limit(one: Limit) -> str:
    where = "each site" if one.site == "*" else one.site
    when = "each day" if one.date == "*" else day(one.date)
    parts = [f"at most {amount(one.max_units)} units of all items"] if one.max_units is not None else []
    parts += [f"at most {share(one.max_share, 0)} of the item's stock"] if one.max_share is not None else []
    return f"{one.channel}, {where}, {when}: {', '.join(parts) or 'no limit'}"


def _lock(one: Lock) -> str:
    words = {"fix": "exactly", "min": "at least", "max": "at most"}[one.kind]
    what = f"{words} {amount(one.quantity)} from {one.origin} to {one.destination} on {day(one.date)}"
    return f"{one.lock}: {what}, by {one.planner}: {one.reason}"
