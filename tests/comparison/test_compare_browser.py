"""The comparison page in a real browser: drawn, sorted, filtered, and nothing refused or cut, at a desk and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allocator
from tests.comparison.test_compare import write_small
from tests.report.browser import MARKS, opened, show

pytest.importorskip("selenium", reason="needs selenium (the dev extra)")
pytestmark = MARKS
ROWS = "Array.from(arguments[0].querySelectorAll('tbody tr')).filter(r => !r.hidden)"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of three cases, one with a name that would be markup."""
    folder = write_small(tmp_path_factory.mktemp("compare"))
    allocator.compare([folder], folder.parent / "out", scenario=["promo", "<script>dock"])
    return folder.parent / "out" / "comparison.html"


@pytest.fixture(scope="module")
def driver(page: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The page in a wide light window."""
    with opened(page, tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def test_bars_are_drawn_and_have_their_unit(driver: Any, page: Path) -> None:
    """Every chart has bars with a size, and a heading or text that names the currency; nothing reads NaN."""
    show(driver, page)
    charts = driver.execute_script(
        """return Array.from(document.querySelectorAll('table.bars')).map(t => ({
            heads: Array.from(t.querySelectorAll('th')).map(h => h.textContent).join(' '),
            drawn: Array.from(t.querySelectorAll('svg')).filter(s => s.getBoundingClientRect().width > 40).length,
            rows: t.querySelectorAll('tbody tr').length, bad: /NaN|Infinity|undefined/.test(t.outerHTML)}))"""
    )
    assert len(charts) >= 3  # the answer, and a waterfall for each other case
    assert all("EUR" in chart["heads"] and chart["drawn"] and chart["rows"] and not chart["bad"] for chart in charts)


def test_names_are_shown_not_run(driver: Any, page: Path) -> None:
    """A case called <script>dock stands on the page as text; only our script is there."""
    show(driver, page)
    assert "<script>dock" in driver.execute_script("return document.body.textContent")
    assert driver.execute_script("return document.scripts.length") == 1


def test_tables_sort_and_filter(driver: Any, page: Path) -> None:
    """A heading sorts both ways and says so; words narrow the rows and clearing brings them back."""
    show(driver, page)
    tools = driver.find_element("css selector", ".tools[data-for]")
    table = driver.find_element("css selector", f"#t-{tools.get_attribute('data-for')}")
    heads = table.find_elements("css selector", "thead th")
    for direction in ("ascending", "descending"):
        driver.execute_script("arguments[0].click()", heads[-1].find_element("css selector", "button"))
        values = driver.execute_script(
            f"return {ROWS}.map(r => Number(r.cells[r.cells.length - 1].getAttribute('data-k')))", table
        )
        assert len(values) > 2
        assert values == sorted(values, reverse=direction == "descending")
        assert heads[-1].get_attribute("aria-sort") == direction
    count = len(driver.execute_script(f"return {ROWS}", table))
    field = tools.find_element("css selector", "input")
    field.send_keys("promo")
    cases = driver.execute_script(f"return {ROWS}.map(r => r.cells[0].textContent)", table)
    assert set(cases) == {"promo"}
    assert len(cases) < count
    field.clear()
    field.send_keys("x\b")
    assert len(driver.execute_script(f"return {ROWS}", table)) == count


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_or_refused(driver: Any, page: Path, width: int, dark: bool) -> None:
    """No sideways scrolling of the page, no words outside it or over each other in a chart, no console message."""
    show(driver, page, width, dark)
    wide, room = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert room == width
    assert wide <= width
    out = driver.execute_script(
        """return Array.from(document.querySelectorAll('section h2, section h3, section p, .bars th, .bars td')).filter(e => {
            const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1); }).map(e => e.textContent)"""
    )
    assert out == []
    over = driver.execute_script(
        """return Array.from(document.querySelectorAll('.bars tr')).flatMap(row => { const c = Array.from(row.cells).map(e => e.getBoundingClientRect());
            return c.slice(1).filter((r, k) => r.width && c[k].width && c[k].right > r.left + 1).map(() => row.textContent); })"""
    )
    assert over == []
    assert driver.get_log("browser") == []
