"""What a network may hold but a planner should know: one line each."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from allocator.tables.draft import Draft
from allocator.tables.keys import word_positions
from allocator.tables.schema import QUANTILES
from allocator.tables.settings import Settings

Mask = NDArray[np.bool_]
EXPIRED = "expired on arrival; serves nothing and is waste"
BEHIND = "after the horizon; not used"


def notes(drafts: Mapping[str, Draft], settings: Settings) -> tuple[str, ...]:
    """Return what is allowed but worth knowing about a checked, resolved network."""
    begin = (settings.start - np.datetime64(0, "D").astype(object)).days
    end = begin + settings.horizon_days
    found = [
        *_empty(drafts),
        *_lots(drafts["lots"], begin),
        *_dates(drafts, begin, end),
        *_channels(drafts["channels"]),
        *_lanes(drafts),
        *_buckets(drafts["lanes"], settings),
        *_suppliers(drafts),
        *_cut_off(drafts),
        *_forecasts(drafts["forecasts"]),
        *_alike(drafts),
    ]
    return tuple(found)


def _say(draft: Draft, mask: Mask, column: str, text: str) -> Iterator[str]:
    count = int(np.count_nonzero(mask))
    if count:
        first = draft[column][int(np.argmax(mask))].as_py()
        yield f"{draft.spec.name}: {count:,} {'row' if count == 1 else 'rows'} {text} (first: {first})"


def _empty(drafts: Mapping[str, Draft]) -> Iterator[str]:
    for draft in drafts.values():
        if not draft.spec.optional and not len(draft):
            yield f"{draft.spec.name}: no rows"


def _lots(lots: Draft, begin: int) -> Iterator[str]:
    usable = lots.equals("status", "available")
    yield from _say(lots, ~usable, "lot", "in quarantine or blocked; not used, but they take room")
    old = usable & (lots.figures("expiry_date") < begin)
    yield from _say(lots, old, "lot", "expired before the start; not used, but they take room")
    late = (
        usable
        & (lots.figures("received_date") >= begin)
        & (lots.figures("expiry_date") < lots.figures("received_date"))
    )
    yield from _say(lots, late, "lot", EXPIRED)


def _dates(drafts: Mapping[str, Draft], begin: int, end: int) -> Iterator[str]:
    receipts, orders, forecasts = drafts["receipts"], drafts["orders"], drafts["forecasts"]
    day = receipts.figures("date")
    yield from _say(receipts, day < begin, "receipt", "overdue; taken as coming in on the first day")
    yield from _say(receipts, day >= end, "receipt", BEHIND)
    yield from _say(receipts, receipts.figures("expiry_date") < np.maximum(day, begin), "receipt", EXPIRED)
    day = forecasts.figures("date")
    yield from _say(forecasts, day < begin, "item", "before the start; not used")
    yield from _say(forecasts, day >= end, "item", BEHIND)
    day = orders.figures("due_date")
    yield from _say(orders, day < begin, "order", "due before the start; still open on the first day")
    yield from _say(orders, day >= end, "order", f"due {BEHIND}")
    lots = drafts["lots"]
    yield from _say(lots, lots.figures("received_date") >= end, "lot", f"received {BEHIND}")


def _channels(channels: Draft) -> Iterator[str]:
    mask = channels.equals("unmet", "backorder") & (channels.figures("max_wait_days") == 0)
    yield from _say(channels, mask, "channel", "take backorders but wait 0 days, so demand is lost the same day")


def _lanes(drafts: Mapping[str, Draft]) -> Iterator[str]:
    lanes, items = drafts["lanes"], drafts["items"]
    if bool((items.figures("unit_volume") == 0).any()):
        mask = (lanes.figures("cost_per_shipment") > 0) | lanes.filled("vehicle_volume")
        text = "charge by vehicle, and items without unit_volume take no room in one"
        yield from _say(lanes, mask, "origin", text)
    if _circular(lanes):
        yield "lanes: some lanes of lead time 0 lead back to where they start; such chains have no first site"


def _buckets(lanes: Draft, settings: Settings) -> Iterator[str]:
    """Whether a long bucket begins before goods that leave on the last committed day have arrived by the slowest lane."""
    lead = int(np.max(lanes.figures("lead_time_days"), initial=0))
    day = 0
    for length in settings.buckets:
        until = settings.commit_days + lead
        if length > 1 and lead > 0 and day < until:
            yield (
                f"buckets: days from day {day} on are one bucket of {length}, where goods that leave on its first day serve all its demand, lead times "
                f"of up to {lead} days or not; plans may put off to it what should leave now: keep the first {until} days single"
            )
            return
        day += length


def _circular(lanes: Draft) -> bool:
    """Whether lanes of lead time 0 form a ring: take away sites nothing leads to until none is left, or some remain."""
    same_day = lanes.figures("lead_time_days") == 0
    words = pa.concat_arrays([lanes.words("origin"), lanes.words("destination")]).unique()
    tail = word_positions(lanes["origin"], words)[same_day]
    head = word_positions(lanes["destination"], words)[same_day]
    while len(tail):
        led = np.isin(tail, head)
        if led.all():
            return True
        tail, head = tail[led], head[led]
    return False


def _suppliers(drafts: Mapping[str, Draft]) -> Iterator[str]:
    sites = drafts["sites"]
    stocked = np.zeros(len(sites), bool)
    for table in ("lots", "receipts"):
        stocked |= word_positions(sites["site"], drafts[table].words("site")) >= 0
    mask = sites.equals("kind", "supplier") & ~stocked
    yield from _say(sites, mask, "site", "suppliers without lots or receipts; nothing can leave them")


def _cut_off(drafts: Mapping[str, Draft]) -> Iterator[str]:
    """Sites that should serve demand and never hold anything."""
    sites = drafts["sites"]
    serving = word_positions(sites["site"], drafts["fulfilment"].words("site")) >= 0
    fed = np.zeros(len(sites), bool)
    for table, column in (("lots", "site"), ("receipts", "site"), ("lanes", "destination")):
        fed |= word_positions(sites["site"], drafts[table].words(column)) >= 0
    yield from _say(sites, serving & ~fed, "site", "serve demand, but hold nothing and no lane leads to them")


def _forecasts(forecasts: Draft) -> Iterator[str]:
    given = [forecasts.filled(name) for name in QUANTILES if forecasts[name].null_count < len(forecasts)]
    if given and forecasts["std"].null_count < len(forecasts):
        both = np.logical_or.reduce(given) & forecasts.filled("std")
        yield from _say(forecasts, both, "item", "give std and quantiles; the quantiles are used")


def _alike(drafts: Mapping[str, Draft]) -> Iterator[str]:
    for table, column in (("items", "item"), ("sites", "site"), ("channels", "channel")):
        seen: dict[str, str] = {}
        for word in drafts[table].words(column).to_pylist():
            other = seen.setdefault(unicodedata.normalize("NFKC", word).casefold(), word)
            if other != word:
                how = "capitals" if other.casefold() == word.casefold() else "width"
                yield f"{table}: {column} {other} and {word} differ only in {how}; they are two"
                break
