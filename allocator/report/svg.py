"""Inline SVG: elements whose text and attributes are always escaped, and axes with round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def element(tag: str, /, *children: str, **attributes: object) -> Markup:
    """Build one element; children and attributes that are not markup already are escaped.

    An attribute's trailing underscore is dropped and inner ones become hyphens (`class_`, `text_anchor`); None is left
    out; a float is written with at most two decimals.
    """
    words = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), short(value))
        for name, value in attributes.items()
        if value is not None
    )
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), words, inside)


def short(value: object) -> object:
    """Write a float with at most two decimals, and hand anything else back."""
    if isinstance(value, float):
        text = f"{value:.2f}".rstrip("0").rstrip(".")
        return "0" if text in ("-0", "") else text
    return value


def drawing(width: float, height: float, title: str, parts: Iterable[str], class_: str = "chart") -> Markup:
    """Wrap parts into an SVG that scales with its column and is read out by its title."""
    return element(
        "svg",
        Markup("").join(escape(part) for part in parts),
        viewBox=f"0 0 {short(float(width))} {short(float(height))}",
        class_=class_,
        role="img",
        aria_label=title,
    )


def text(x: float, y: float, words: str, class_: str = "tick", anchor: str = "start") -> Markup:
    """Place words; `anchor` is start, middle or end."""
    return element("text", words, x=x, y=y, class_=class_, text_anchor=None if anchor == "start" else anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def box(x: float, y: float, width: float, height: float, class_: str, tip: str = "") -> Markup:
    """Draw a rectangle with a tooltip."""
    tips = (element("title", tip),) if tip else ()
    return element("rect", *tips, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0), class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str, closed: bool = False) -> Markup:
    """Draw a line through points."""
    steps = "L".join(f"{short(float(x))} {short(float(y))}" for x, y in points)
    return element("path", d=f"M{steps}{'Z' if closed else ''}", class_=class_)


def round_ticks(top: float, wanted: int = 4) -> list[float]:
    """Give ticks from 0 to at least `top` in steps of 1, 2, 2.5 or 5 times a power of ten."""
    if not top > 0:
        return [0.0, 1.0]
    raw = top / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if power * factor >= raw * (1 - 1e-9))
    return [step * number for number in range(math.ceil(top / step - 1e-9) + 1)]


@dataclass(frozen=True)
class Frame:
    """A chart's plotting area: where the data lies inside the drawing.

    Attributes
    ----------
    left, right, top, bottom : float, [px]
        Edges of the plotting area.
    span : float
        Largest figure on the horizontal axis (0 at `left`).
    peak : float
        Largest figure on the vertical axis (0 at `bottom`).
    """

    left: float
    right: float
    top: float
    bottom: float
    span: float
    peak: float

    def x(self, amount: float) -> float:
        """Give the horizontal place of a figure."""
        return self.left + (self.right - self.left) * amount / self.span

    def y(self, amount: float) -> float:
        """Give the vertical place of a figure."""
        return self.bottom - (self.bottom - self.top) * amount / self.peak
