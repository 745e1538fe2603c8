"""Figures, days and prices in words, and round ticks."""

import pytest

from allocator.report import svg, words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (12.0, "12"),
        (1234567.0, "1,234,567"),
        (0.5, "0.5"),
        (0.00315, "0.0032"),
        (2.499999, "2.5"),
        (-1e-12, "0"),
        (-3.25, "-3.25"),
    ],
)
def test_amounts(value, expected):
    """Quantities are whole where they are whole and never a negative zero."""
    assert words.amount(value) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        (
            {"resource": "outbound", "site": "DC1", "date": "2025-10-07", "price": 12.4, "unit": "m3"},
            "outbound volume at DC1 on Tuesday 7 Oct: one more m3 is worth 12.40 USD",
        ),
        (
            {
                "resource": "vehicles",
                "site": None,
                "origin": "A",
                "destination": "B",
                "mode": "air",
                "date": "2025-10-08",
                "price": 3.0,
                "unit": "vehicles",
            },
            "vehicles on A to B (air) on Wednesday 8 Oct: one more vehicle is worth 3.00 USD",
        ),
        (
            {
                "resource": "admission",
                "site": "DC1",
                "channel": "web",
                "date": "2025-10-08",
                "price": 0.85,
                "unit": "units",
            },
            "admission limit of web at DC1 on Wednesday 8 Oct: one more unit is worth 0.85 USD",
        ),
        (
            {"resource": "min_fill", "channel": "web", "date": None, "price": 1.0, "unit": "units"},
            "minimum fill of web: one more unit is worth 1.00 USD",
        ),
    ],
)
def test_prices_in_a_planners_words(price, expected):
    """A price names its resource, place and day."""
    assert words.worth_sentence(price, "USD") == expected


@pytest.mark.parametrize(("top", "last"), [(0, 1), (1, 1), (9.7, 10), (4660, 6000), (0.013, 0.015), (1e9, 1e9)])
def test_ticks_are_round_and_reach_the_top(top, last):
    """Ticks start at 0, reach the largest figure and are few."""
    ticks = svg.round_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(last)
    assert 2 <= len(ticks) <= 6


def test_svg_escapes_text_and_attributes():
    """Neither text nor attribute can leave its place."""
    drawn = svg.element("text", "</text><script>", class_='"><b')
    assert str(drawn) == '<text class="&#34;&gt;&lt;b">&lt;/text&gt;&lt;script&gt;</text>'
