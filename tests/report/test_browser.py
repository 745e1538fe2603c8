"""The report in a real browser: drawn, sorted, filtered, read by keyboard, downloaded, and nothing refused or cut."""

import csv
import time

import pandas as pd
import pytest

from allocator.explain import explain_many
from allocator.measure import measure
from allocator.report import render
from allocator.tables import read_tables
from tests.measure.sample import NASTY_ITEM, NASTY_SITE, make_certificate, make_manifest, make_plan, write_network
from tests.report.browser import MARKS, opened, show

pytest.importorskip("selenium", reason="needs selenium (the dev extra)")
pytestmark = MARKS
FORMULA = "=cmd()"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report of a made-up plan with nasty names, lost demand and an item whose code looks like a formula, on disk."""
    folder = tmp_path_factory.mktemp("report")
    tables = read_tables(write_network(folder / "network", items=9, stores=8, days=10))
    plan = make_plan(tables)
    items = [NASTY_ITEM, FORMULA, *(f"{k:05d}" for k in range(10))]
    last = plan["projections"]["date"].max()
    lost = [
        (item, "walk-in", "S001", last, 1.0 + k, 7.0 * k % 11, "short_supply", "forecast", "lost")
        for k, item in enumerate(items)
    ]
    plan = plan | {"unmet": pd.DataFrame(lost, columns=list(plan["unmet"].columns))}
    certificate = make_certificate(tables, plan)
    kpis = measure(tables, plan, certificate["components"], {"value": 100.0})

    def explain(part, pairs):
        """Explain the pairs the network knows."""
        known = set(tables["items"]["item"].to_pylist())
        return explain_many(tables, part, certificate, [pair for pair in pairs if pair[0] in known])

    text = render(tables, plan, certificate, kpis, make_manifest(), {"value": 100.0, "fill_rate": 0.5}, explain=explain)
    (folder / "report.html").write_text(text, encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def driver(page, tmp_path_factory):
    """The page in a wide light window."""
    with opened(page, tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def column(driver, table, place):
    """What a column's visible cells sort by."""
    script = """return Array.from(document.querySelectorAll(`#t-${arguments[0]} tbody tr`)).filter(r => !r.hidden)
        .map(r => r.cells[arguments[1]].getAttribute('data-k') || r.cells[arguments[1]].textContent)"""
    return driver.execute_script(script, table, place)


def test_every_chart_is_drawn(driver):
    """Every chart has a size, marks with figures and a name, and no number is not a number."""
    charts = driver.execute_script(
        """return Array.from(document.querySelectorAll('svg.chart')).filter(s => s.getClientRects().length).map(s => ({
            name: s.getAttribute('aria-label'), width: s.getBoundingClientRect().width,
            marks: s.querySelectorAll('[data-tip]').length, nan: s.outerHTML.includes('NaN') || s.outerHTML.includes('="nan"')}))"""
    )
    assert len(charts) >= 10
    assert all(chart["width"] > 250 and chart["marks"] and chart["name"] and not chart["nan"] for chart in charts)


def test_names_are_shown_not_run(driver):
    """An item called <script> and a site that closes the drawing stand on the page as text; only our script is there."""
    body = driver.execute_script("return document.body.textContent")
    assert NASTY_ITEM in body
    assert NASTY_SITE in body
    assert driver.execute_script("return document.scripts.length") == 1


def test_sort_both_ways_by_keyboard(driver):
    """Enter on a heading sorts up, once more down, and says so to a screen reader."""
    from selenium.webdriver.common.keys import Keys

    last = len(driver.find_elements("css selector", "#t-unmet thead th")) - 1
    button = driver.find_elements("css selector", "#t-unmet thead th button")[last]
    for direction, down in (("ascending", False), ("descending", True)):
        button.send_keys(Keys.ENTER)
        costs = [float(cost) for cost in column(driver, "unmet", last)]
        assert costs == sorted(costs, reverse=down)
        head = driver.find_elements("css selector", "#t-unmet thead th")[last]
        assert head.get_attribute("aria-sort") == direction


def test_filter(driver):
    """Words narrow the rows, how many is told, and clearing brings them back."""
    field = driver.find_element("css selector", '.tools[data-for="unmet"] input')
    field.send_keys("00003")
    assert column(driver, "unmet", 0) == ["00003"]
    assert driver.find_element("css selector", '.tools[data-for="unmet"] output').text == "1 of 12 rows"
    field.clear()
    field.send_keys("x\b")
    assert len(column(driver, "unmet", 0)) == 12


def test_download(driver, tmp_path):
    """The CSV holds headings and rows, figures as figures, and nothing a spreadsheet would run."""
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    tools = driver.find_element("css selector", '.tools[data-for="unmet"] button')
    driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", tools)
    tools.click()
    file = tmp_path / "unmet.csv"
    for _ in range(100):
        if file.exists() and file.stat().st_size:
            break
        time.sleep(0.1)
    rows = list(csv.reader(file.open(encoding="utf-8", newline="")))
    assert rows[0][0] == "Item"
    assert len(rows) == 13
    assert {row[0] for row in rows} >= {f"'{FORMULA}", NASTY_ITEM}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))]


def test_figures_of_a_chart_are_read_by_arrow_keys(driver):
    """A chart takes the focus, arrow keys show one figure after the other, Escape hides them."""
    from selenium.webdriver.common.keys import Keys

    chart = driver.find_element("css selector", "#stock svg.chart")
    driver.execute_script("arguments[0].focus()", chart)
    seen = []
    for key in (Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT):
        driver.switch_to.active_element.send_keys(key)
        seen.append(driver.find_element("id", "tip").text)
    assert seen[0] != seen[1]
    assert seen[2] == seen[0]
    assert "closing stock" in seen[0]
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert driver.execute_script("return document.getElementById('tip').hidden")


def test_a_place_opens_from_its_row(driver):
    """A site's row leads to its explanation, which opens and takes the focus."""
    link = driver.find_element("css selector", "#t-sites a")
    driver.execute_script("arguments[0].click()", link)
    time.sleep(0.3)
    story = driver.find_element("css selector", link.get_attribute("href")[link.get_attribute("href").index("#") :])
    assert story.get_attribute("open")
    assert "asked" in story.text
    assert driver.execute_script("return document.activeElement.tagName") == "SUMMARY"


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_or_refused(driver, page, width, dark):
    """At a desk and on a phone, light and dark: no sideways scrolling, no console message, letters that stand out from the paper."""
    show(driver, page, width, dark)
    wide, room = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert room == width
    assert wide <= width
    colours = driver.execute_script(
        "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor].map(c => c.match(/[0-9]+/g).slice(0, 3).map(Number))"
    )
    ink, paper = (sum(colour) / 3 for colour in colours)
    assert (ink > 180 and paper < 60) if dark else (ink < 60 and paper > 220)
    out = driver.execute_script(
        """return Array.from(document.querySelectorAll('section h2, section p, .tiles dd, .bars th, svg.chart')).filter(e => {
            const r = e.getBoundingClientRect(); return r.width && (r.right > innerWidth + 1 || r.left < -1); }).map(e => e.textContent)"""
    )
    assert out == []
    assert driver.get_log("browser") == []
