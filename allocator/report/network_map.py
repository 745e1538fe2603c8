"""The network drawn: sites where they are (in layers where places are unknown) and the flows between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from allocator.measure.rows import rows_of
from allocator.report import svg
from allocator.report.words import number, share

KINDS = ("supplier", "plant", "dc", "store")
TOP_FLOWS = 160
TOP_SITES = 1200
TOP_NAMES = 300
PER_COLUMN = 22
MARGIN = 34.0
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)


@dataclass(frozen=True)
class Spot:
    """A site on the drawing: place in px, kind, name, and its stockout rate (NaN: none)."""

    site: str
    kind: str
    x: float
    y: float
    stockout: float


def draw(sites: pd.DataFrame, flows: pd.DataFrame, width: float, height: float) -> tuple[Markup, str]:
    """Draw the network.

    Parameters
    ----------
    sites : DataFrame
        Columns site, kind, latitude, longitude, stockout (share).
    flows : DataFrame
        Columns origin, destination, method, quantity: total flows, largest first.
    width, height : float
        Most room for the drawing, [px]; a flat network takes less height.

    Returns
    -------
    tuple of Markup and str
        The drawing, and a sentence that says what is left out.
    """
    rank = sites["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    sites = sites.assign(rank=rank).sort_values(["rank", "site"], kind="stable")
    shown = sites.head(TOP_SITES)
    located = shown["latitude"].notna() & shown["longitude"].notna()
    real = located.sum() >= max(2, 0.6 * len(shown))
    grid: list[Markup] = []
    stretched = False
    if real:
        spots, grid, height, stretched = _on_map(shown[located], width, height)
    else:
        spots = _in_layers(shown, width, height)
    places = {spot.site: spot for spot in spots}
    drawable = flows[flows["origin"].isin(places) & flows["destination"].isin(places)]
    arcs = _arcs(drawable.head(TOP_FLOWS), places)
    parts = [*grid, *arcs, *[_mark(spot) for spot in spots], *_labels(spots, width, height)]
    title = "Map of the sites and the flows between them" if real else "Sites in layers and the flows between them"
    return svg.drawing(width, height, title, parts, "chart map"), _left_out(
        sites, spots, flows, drawable, bool(real), stretched
    )


def _left_out(
    sites: pd.DataFrame, spots: Sequence[Spot], flows: pd.DataFrame, drawable: pd.DataFrame, real: bool, stretched: bool
) -> str:
    drawn = min(len(drawable), TOP_FLOWS)
    words = (
        f"{number(drawn)} of {number(len(flows))} flows and {number(len(spots))} of {number(len(sites))} sites drawn"
    )
    words += ", the largest flows first" if len(drawable) > TOP_FLOWS else ""
    words += "; the rest have no coordinates" if real and len(spots) < min(len(sites), TOP_SITES) else ""
    if stretched:
        return f"{words}. North is up; crowded parts are stretched, so distances are not to scale."
    return f"{words}. North is up." if real else f"{words}. Sites stand in layers: too few have coordinates."


@dataclass(frozen=True)
class Axis:
    """Where degrees lie on one edge of the map: rising degrees and their places, [px]."""

    degrees: NDArray[np.float64]
    places: NDArray[np.float64]

    def at(self, degrees: float) -> float:
        """Give the place of a degree."""
        return float(np.interp(degrees, self.degrees, self.places))

    def lines(self, room: float) -> list[tuple[float, float]]:
        """Give round degrees and their places, at least `room` px apart."""
        low, high = float(self.degrees[0]), float(self.degrees[-1])
        step = next((step for step in STEPS if (high - low) / step <= 8), STEPS[-1])
        found: list[tuple[float, float]] = []
        for count in range(math.ceil(low / step), math.floor(high / step) + 1):
            place = self.at(count * step)
            if not found or abs(place - found[-1][1]) >= room:
                found.append((count * step, place))
        return found


def _crowded(degrees: pd.Series) -> bool:
    """Tell whether the middle half of the sites lies within a sixth of the whole extent."""
    low, high = degrees.quantile(0.25), degrees.quantile(0.75)
    return len(degrees) > 8 and bool(high - low < (degrees.max() - degrees.min()) / 6)


def _axis(degrees: pd.Series, start: float, end: float, stretch: float) -> Axis:
    """Lay degrees out from start to end; `stretch` gives that share of the room to sites evenly, not to distance."""
    known = np.unique(degrees.to_numpy(float))
    if len(known) == 1:
        known = np.array([known[0] - 0.05, known[0] + 0.05])
    linear = (known - known[0]) / (known[-1] - known[0])
    even = np.linspace(0.0, 1.0, len(known))
    return Axis(known, start + (end - start) * ((1 - stretch) * linear + stretch * even))


def _on_map(sites: pd.DataFrame, width: float, height: float) -> tuple[list[Spot], list[Markup], float, bool]:
    """Place sites by latitude and longitude; where they crowd in a corner, crowded parts are stretched."""
    latitude, longitude = sites["latitude"].astype(float), sites["longitude"].astype(float)
    stretched = _crowded(latitude) or _crowded(longitude)
    left, right, top = MARGIN, width - MARGIN, MARGIN
    if not stretched:
        squeeze = math.cos(math.radians(float(latitude.mean())))
        spread_x = max(float(longitude.max() - longitude.min()) * squeeze, 1e-3)
        spread_y = max(float(latitude.max() - latitude.min()), 1e-3)
        scale = min((width - 2 * MARGIN) / spread_x, (height - 2 * MARGIN) / spread_y)
        height = min(height, max(scale * spread_y + 2 * MARGIN, 0.45 * height))
        left, right = (width - scale * spread_x) / 2, (width + scale * spread_x) / 2
        top = (height - scale * spread_y) / 2
    share = 0.7 if stretched else 0.0
    across, down = _axis(longitude, left, right, share), _axis(latitude, height - top, top, share)
    spots = [
        Spot(row.site, row.kind, across.at(row.longitude), down.at(row.latitude), row.stockout)
        for row in rows_of(sites)
    ]
    return spots, _graticule(across, down, width, height), height, stretched


def _graticule(across: Axis, down: Axis, width: float, height: float) -> list[Markup]:
    """Draw thin lines of latitude and longitude with their degrees."""
    parts = []
    for degrees, x in across.lines(46.0):
        parts.append(svg.line(x, 0, x, height, "rule"))
        if x < width - 44:
            parts.append(
                svg.text(x + 3, height - 4, f"{abs(degrees):.4g}° {'W' if degrees < 0 else 'E'}", "tick faint")
            )
    for degrees, y in down.lines(24.0):
        parts.append(svg.line(0, y, width, y, "rule"))
        if 12 < y < height - 20:
            parts.append(svg.text(3, y - 3, f"{abs(degrees):.4g}° {'S' if degrees < 0 else 'N'}", "tick faint"))
    return parts


def _in_layers(sites: pd.DataFrame, width: float, height: float) -> list[Spot]:
    """Place sites in columns, suppliers left and stores right; a full column goes on in the next."""
    columns: list[pd.DataFrame] = []
    for kind in KINDS:
        group = sites[sites["kind"] == kind]
        columns += [group.iloc[start : start + PER_COLUMN] for start in range(0, len(group), PER_COLUMN)]
    gap = (width - 2 * MARGIN - 40) / max(len(columns) - 1, 1)
    spots = []
    for position, column in enumerate(columns):
        for row, site in enumerate(rows_of(column), start=1):
            y = MARGIN / 2 + (height - MARGIN) * (row - 0.5) / max(len(column), 1)
            spots.append(Spot(site.site, site.kind, MARGIN + gap * position, y, site.stockout))
    return spots


def _arcs(flows: pd.DataFrame, places: dict[str, Spot]) -> list[Markup]:
    most = float(flows["quantity"].max()) if len(flows) else 1.0
    parts = []
    for flow in rows_of(flows.iloc[::-1]):
        a, b = places[flow.origin], places[flow.destination]
        bend = 0.12  # the two directions between a pair of sites bend apart
        cx, cy = (a.x + b.x) / 2 - (b.y - a.y) * bend, (a.y + b.y) / 2 + (b.x - a.x) * bend
        tip = f"{flow.origin} to {flow.destination}: {number(flow.quantity)} units, mostly {flow.method}"
        parts.append(
            svg.element(
                "path",
                svg.element("title", tip),
                d=f"M{a.x:.1f} {a.y:.1f}Q{cx:.1f} {cy:.1f} {b.x:.1f} {b.y:.1f}",
                class_=f"{flow.method} flow",
                stroke_width=0.8 + 5.2 * math.sqrt(flow.quantity / most),
            )
        )
    return parts


def _mark(spot: Spot) -> Markup:
    rate = spot.stockout
    tint = "none" if math.isnan(rate) else "calm" if rate < 0.01 else "some" if rate < 0.05 else "much"
    words = "" if math.isnan(rate) else f", stockout rate {share(rate)}"
    tip = svg.element("title", f"{spot.site} ({spot.kind}){words}")
    if spot.kind == "store":
        return svg.element("circle", tip, cx=spot.x, cy=spot.y, r=4.2, class_=f"site {tint}")
    if spot.kind == "supplier":
        r = 8.0
        corners = [(spot.x, spot.y - r), (spot.x + r, spot.y), (spot.x, spot.y + r), (spot.x - r, spot.y)]
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
        return svg.element("path", tip, d=f"M{steps}Z", class_=f"site hub {tint}")
    side = 13.0
    return svg.element(
        "rect", tip, x=spot.x - side / 2, y=spot.y - side / 2, width=side, height=side, class_=f"site hub {tint}"
    )


def _labels(spots: Sequence[Spot], width: float, height: float) -> list[Markup]:
    """Name sites where the name touches no site or other name; hubs come first, the rest have tooltips."""
    taken = [(spot.x - 7, spot.y - 7, spot.x + 7, spot.y + 7) for spot in spots]
    parts = []
    for spot in spots[:TOP_NAMES]:
        size, class_ = (7.2, "label hub") if spot.kind != "store" else (5.9, "label")
        name = spot.site if len(spot.site) <= 22 else spot.site[:21] + "…"
        long, tall = size * len(name), 13.0
        for dx, dy, anchor in ((11, 4, "start"), (-11, 4, "end"), (0, -11, "middle"), (0, 20, "middle")):
            x, y = spot.x + dx, spot.y + dy
            left = x - (long if anchor == "end" else long / 2 if anchor == "middle" else 0)
            room = (left, y - tall + 2, left + long, y + 2)
            inside = room[0] > 2 and room[2] < width - 2 and room[1] > 2 and room[3] < height - 16
            if inside and not any(_touch(room, other) for other in taken):
                taken.append(room)
                parts.append(svg.text(x, y, name, class_, anchor))
                break
    return parts


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
