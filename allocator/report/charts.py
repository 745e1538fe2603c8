"""Charts over time and bars: small drawings that read well at 320 pixels and on paper."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from allocator.report import svg
from allocator.report.words import compact, day, number

WIDTH, HEIGHT = 400.0, 224.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 392.0, 30.0, 186.0


@dataclass(frozen=True)
class Series:
    """One named row of figures over the buckets; `tint` is the class that colours it."""

    name: str
    tint: str
    figures: Sequence[float]


@dataclass(frozen=True)
class Span:
    """The time axis: first date and length in days of every bucket."""

    dates: Sequence[datetime.date]
    lengths: Sequence[int]

    @property
    def starts(self) -> list[float]:
        """Give the first day of each bucket, counted from the first date."""
        return [float((date - self.dates[0]).days) for date in self.dates]

    @property
    def total(self) -> float:
        """Give the days spanned."""
        return float(sum(self.lengths))


def bar(segments: Sequence[tuple[float, float, str, str]]) -> Markup:
    """Draw one horizontal bar that stretches with its cell.

    Parameters
    ----------
    segments : sequence of (start, width, tint, tip)
        Start and width as shares of the cell.
    """
    parts = [svg.box(1000 * start, 0, 1000 * width, 10, tint, tip) for start, width, tint, tip in segments if width > 0]
    return svg.element(
        "svg", *parts, viewBox="0 0 1000 10", preserveAspectRatio="none", class_="bar", role="img", aria_hidden="true"
    )


def stacked_bar(amounts: Sequence[tuple[str, str, float]], whole: float, unit: str) -> Markup:
    """Draw (name, tint, amount) one behind the other; `whole` fills the cell."""
    segments, start = [], 0.0
    for name, tint, quantity in amounts:
        width = quantity / whole if whole > 0 else 0.0
        segments.append((start, width, tint, f"{name}: {number(quantity)} {unit}"))
        start += width
    return bar(segments)


def columns(title: str, unit: str, span: Span, series: Sequence[Series]) -> Markup:
    """Draw stacked columns, one a bucket."""
    count = len(span.dates)
    stacked = [sum(one.figures[b] for one in series) for b in range(count)]
    frame, parts = _axes(title, unit, span, max(stacked, default=0.0))
    for b, start in enumerate(span.starts):
        base, room = 0.0, frame.x(span.lengths[b]) - frame.left
        for one in series:
            figure = float(one.figures[b])
            if figure > 0:
                top, foot = frame.y(base + figure), frame.y(base)
                tip = f"{day(span.dates[b])}: {one.name} {number(figure)} {unit}"
                parts.append(svg.box(frame.x(start) + room * 0.12, top, room * 0.76, foot - top, one.tint, tip))
                base += figure
    return svg.drawing(WIDTH, HEIGHT, title, parts)


def area(title: str, unit: str, span: Span, level: Series, marks: Series | None = None) -> Markup:
    """Draw a level at the end of each bucket as an area, with marks (columns) in front."""
    peak = max([*level.figures, *(marks.figures if marks else ())], default=0.0)
    frame, parts = _axes(title, unit, span, peak)
    middles = [frame.x(start + length / 2) for start, length in zip(span.starts, span.lengths, strict=True)]
    curve = [(x, frame.y(float(figure))) for x, figure in zip(middles, level.figures, strict=True)]
    if curve:
        parts.append(
            svg.path([(curve[0][0], frame.bottom), *curve, (curve[-1][0], frame.bottom)], f"{level.tint} wash", True)
        )
        parts.append(svg.path(curve, f"{level.tint} stroke"))
    for b, (x, y) in enumerate(curve):
        tip = f"{day(span.dates[b])}: {level.name} {number(float(level.figures[b]))} {unit}"
        parts.append(svg.element("circle", svg.element("title", tip), cx=x, cy=y, r=2.6, class_=level.tint))
    for b, figure in enumerate(marks.figures if marks else ()):
        if marks is not None and figure > 0:
            tip = f"{day(span.dates[b])}: {marks.name} {number(float(figure))} {unit}"
            top = frame.y(float(figure))
            parts.append(svg.box(middles[b] - 3, top, 6, frame.bottom - top, marks.tint, tip))
    return svg.drawing(WIDTH, HEIGHT, title, parts)


def _axes(title: str, unit: str, span: Span, peak: float) -> tuple[svg.Frame, list[Markup]]:
    ticks = svg.round_ticks(peak)
    frame = svg.Frame(LEFT, RIGHT, TOP, BOTTOM, span.total or 1.0, ticks[-1])
    parts = [svg.text(2, 13, f"{_clip(title, 44)}", "name"), svg.text(RIGHT, 13, unit, "tick", "end")]
    for tick in ticks:
        parts.append(svg.line(LEFT, frame.y(tick), RIGHT, frame.y(tick), "axis" if tick == 0 else "rule"))
        parts.append(svg.text(LEFT - 6, frame.y(tick) + 4, compact(tick), "tick", "end"))
    every = max(1, -(-len(span.dates) // 5))
    for b in range(0, len(span.dates), every):
        x = frame.x(span.starts[b] + span.lengths[b] / 2)
        parts.append(svg.line(x, BOTTOM, x, BOTTOM + 4, "axis"))
        anchor = "end" if x > RIGHT - 24 else "middle"
        words = day(span.dates[b])
        parts.append(svg.text(x, BOTTOM + 17, words[:3], "tick", anchor))
        parts.append(svg.text(x, BOTTOM + 31, words[4:], "tick", anchor))
    return frame, parts


def _clip(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
