"""The report: complete, offline, deterministic, and safe against names that look like markup."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from allocator.measure import headline, measure
from allocator.report import network_map, render
from allocator.report.render import content_policy
from allocator.tables import read_tables
from tests.measure.sample import NASTY_ITEM, NASTY_SITE, make_certificate, make_manifest, make_plan, write_network


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small made-up network, its plan, certificate and KPIs."""
    tables = read_tables(write_network(tmp_path_factory.mktemp("network"), items=9, stores=8, days=10))
    plan = make_plan(tables)
    certificate = make_certificate(tables, plan)
    return tables, plan, certificate, measure(tables, plan, certificate["components"], {"value": 100.0})


@pytest.fixture(scope="module")
def page(made):
    """The report of the made-up plan beside a baseline."""
    return render(*made, make_manifest(), {"value": 100.0, "fill_rate": 0.5, "freight": 1.0})


class Elements(HTMLParser):
    """Collects start tags, end tags, attributes and the sections' ids."""

    def __init__(self, page):
        """Read the page."""
        super().__init__()
        self.open, self.tags, self.ids, self.wrong, self.attributes = [], [], [], [], set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a start tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Check that the tag closes the one that is open."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_every_section_is_there_and_tags_close(page):
    """All twelve sections are drawn once and every element is closed."""
    parsed = Elements(page)
    sections = [
        "answer",
        "value",
        "map",
        "methods",
        "stock",
        "service",
        "capacity",
        "unmet",
        "lots",
        "gave",
        "ships",
        "source",
    ]
    assert [name for name in parsed.ids if name in sections] == sections
    assert parsed.wrong == []
    assert parsed.open == []
    assert parsed.tags.count("svg") > 20


def test_the_answer_comes_first(page):
    """The value, the proof, what gave and the lead over the rules stand in the first section."""
    first = page[page.index('id="answer"') : page.index('id="value"')]
    assert "Proven within 0.06 % of the best possible" in first
    assert "2 limits had to give, at 506 USD of penalty." in first
    assert "than the rules of thumb give" in first


def test_names_never_become_markup(page):
    """An item called <script> and a site that closes the drawing are shown as text."""
    assert NASTY_ITEM not in page
    assert NASTY_SITE not in page
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "O&#34;Neil &amp; Sons &lt;/svg&gt;" in page


def test_hostile_network_manifest_and_exceptions_are_escaped(made):
    """Text from the settings, the manifest, the exceptions and the prices is escaped too."""
    tables, plan, certificate, kpis = made
    bad = '"><img src=x onerror=alert(1)>'
    plan = plan | {"exceptions": plan["exceptions"].assign(mend=bad, what=bad)}
    prices = [{**certificate["prices"][0], "site": bad, "resource": "storage"}]
    manifest = make_manifest() | {"notes": [bad], "plan_id": bad, "quarantined": [{bad: bad}], "files": {bad: bad}}
    page = render(tables, plan, certificate | {"prices": prices, "status": bad}, kpis, manifest)
    assert "<img" not in page
    assert "img" not in Elements(page).tags


def test_no_outside_address_and_nothing_inline(page):
    """No address, no inline style, no event attribute: the policy would refuse them."""
    assert re.findall(r"(?:https?:)?//[a-z]", page) == []
    names = Elements(page).attributes
    assert "style" not in names
    assert not {name for name in names if name.startswith("on")}
    assert not {"src", "action", "srcset"} & names


def test_the_policy_names_exactly_this_style_and_script(page):
    """The hashes in the policy are those of the style and the script in the page."""
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    script = re.search(r"<script>(.*?)</script>", page, re.S).group(1)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page).group(1)
    assert policy.replace("&#39;", "'") == content_policy(style, script)
    assert policy.startswith("default-src &#39;none&#39;")


def test_same_plan_same_page(made, page):
    """The page depends on its arguments alone, and not on the order of rows in the plan's tables."""
    tables, plan, certificate, kpis = made
    again = render(tables, plan, certificate, kpis, make_manifest(), {"value": 100.0, "fill_rate": 0.5, "freight": 1.0})
    assert again == page
    shuffled = {name: frame.sample(frac=1, random_state=3).reset_index(drop=True) for name, frame in plan.items()}
    assert (
        render(tables, shuffled, certificate, kpis, make_manifest(), {"value": 100.0, "fill_rate": 0.5, "freight": 1.0})
        == page
    )


def test_tables_are_capped_and_say_so(made):
    """A table shows at most 200 rows and states how many there are."""
    tables, plan, certificate, kpis = made
    page = render(tables, plan, certificate, kpis, make_manifest())
    count = int(plan["shipments"]["committed"].sum())
    body = page[page.index('id="t-shipments"') : page.index('id="source"')]
    assert body.count("<tr>") == min(count, 200) + 1
    many = pd.concat([plan["shipments"]] * 9, ignore_index=True)
    page = render(tables, plan | {"shipments": many}, certificate, kpis, make_manifest())
    assert f"(200 of {count * 9:,} rows, largest first)" in page


def test_an_empty_plan_still_has_a_report(made):
    """A plan without a single move, price, bound or baseline is drawn without errors."""
    tables, plan = made[:2]
    nothing = {name: frame.head(0) for name, frame in plan.items()}
    bare = {"objective": 0.0, "value": 0.0, "components": {}, "gap": None, "bound": None, "prices": []}
    page = render(tables, nothing, bare, measure(tables, nothing, {}), {})
    assert "has not been proven" in page
    assert "Nothing had to give: every limit holds." in page
    assert "nan" not in re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.S).lower().replace("nance", "")


def test_sites_without_coordinates_stand_in_layers(tmp_path):
    """Without latitude and longitude the map falls back to layers and says so."""
    folder = write_network(tmp_path, items=2, stores=3, days=4)
    sites = pd.read_csv(folder / "sites.csv").drop(columns=["latitude", "longitude"])
    sites.to_csv(folder / "sites.csv", index=False)
    tables = read_tables(folder)
    plan = make_plan(tables)
    certificate = make_certificate(tables, plan)
    page = render(tables, plan, certificate, measure(tables, plan, certificate["components"]), {})
    assert "too few have coordinates" in page


def test_baseline_may_be_a_kpi_table(made):
    """The rules' KPIs are taken as a table or by name, with the same page."""
    tables, plan, certificate, kpis = made
    assert render(tables, plan, certificate, kpis, {}, kpis) == render(
        tables, plan, certificate, kpis, {}, headline(kpis)
    )


@pytest.mark.parametrize("figure", [np.nan, -0.0, 1e-12, 1e15])
def test_odd_figures_do_not_break_the_charts(made, figure):
    """A price of any size is written, none as nan."""
    tables, plan, certificate, kpis = made
    prices = [{**certificate["prices"][0], "price": figure}]
    page = render(tables, plan, certificate | {"prices": prices}, kpis, {})
    assert ">nan<" not in page


DRIVER = """
(function () {
  var table = document.getElementById("t-unmet"), last = table.tHead.rows[0].cells.length - 1;
  var button = table.tHead.rows[0].cells[last].querySelector("button");
  function costs() {
    return Array.prototype.map.call(table.tBodies[0].rows, function (r) {
      return Number(r.cells[last].getAttribute("data-k"));
    });
  }
  button.click();
  var up = costs(), rising = up.every(function (v, i) { return i === 0 || up[i - 1] <= v; });
  button.click();
  var down = costs(), falling = down.every(function (v, i) { return i === 0 || down[i - 1] >= v; });
  var field = document.querySelector('.tools[data-for="unmet"] input');
  field.value = "no-such-words"; field.dispatchEvent(new Event("input"));
  var hidden = Array.prototype.every.call(table.tBodies[0].rows, function (r) { return r.hidden; });
  document.title = ["rising", rising, "falling", falling, "hidden", hidden].join(" ");
}());
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium to run the page's script")
def test_sort_and_filter_work_under_the_policy(made, tmp_path, monkeypatch):
    """In a real browser the script runs under the policy, sorts both ways and filters, with nothing refused."""
    tables, plan, certificate, kpis = made
    unmet = pd.DataFrame(
        [
            (
                "i",
                "web",
                "north",
                plan["projections"]["date"].max(),
                float(k),
                float(k * 7 % 11),
                "r",
                "forecast",
                "lost",
            )
            for k in range(1, 12)
        ],
        columns=list(plan["unmet"].columns),
    )
    unmet["item"] = [f"{k:05d}" for k in range(11)]
    real = render.__globals__["_asset"]
    monkeypatch.setitem(render.__globals__, "_asset", lambda name: real(name) + (DRIVER if name == "script.js" else ""))
    file = tmp_path / "report.html"
    file.write_text(render(tables, plan | {"unmet": unmet}, certificate, kpis, make_manifest()), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    flags += " --disable-quic --disable-component-update --enable-logging=stderr"
    ran = subprocess.run(
        ["chromium", *flags.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "<title>rising true falling true hidden true</title>" in ran.stdout
    assert "CONSOLE" not in ran.stderr


def test_a_crowded_corner_is_stretched_and_said_so():
    """Stores crowded in one corner are drawn apart, in their order from west to east, and the page says so."""
    spots = pd.DataFrame({"site": [f"S{k:02d}" for k in range(12)], "kind": "store", "stockout": np.nan})
    spots["latitude"] = [42.0, *(41.0 + 0.001 * k for k in range(11))]
    spots["longitude"] = [-93.0, *(-91.0 + 0.001 * k for k in range(11))]
    flows = pd.DataFrame({"origin": ["S00"], "destination": ["S01"], "method": ["push"], "quantity": [5.0]})
    drawing, said = network_map.draw(spots, flows, 1000.0, 500.0)
    places = [float(x) for x in re.findall(r'<circle cx="([0-9.]+)"', drawing)]
    assert places == sorted(places)
    assert min(np.diff(places)) > 20
    assert "not to scale" in said
