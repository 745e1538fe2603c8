"""The page in a real browser with real runs behind it: compare, edit and run, decide and plan again, cancel; by keyboard, wide and narrow."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allocator
from tests.report.browser import MARKS, opened
from tests.serve.served import NASTY, Client, served, write_network

pytest.importorskip("selenium", reason="needs selenium (the dev extra)")
pytestmark = MARKS
PROMO = 'base = "small"\n[[change]]\ntable = "forecasts"\nwhere = { item = "milk" }\nscale = { mean = 2.0 }\n'
OUTSIDE = """return Array.from(document.querySelectorAll('section, h1, h2, p, li, dt, dd, input, select, textarea, button, a, svg.chart'))
    .filter(e => { const r = e.getBoundingClientRect();
        return r.width > 1 && !e.closest('.scroll') && (r.right > innerWidth + 1 || r.left < -1); }).map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network and a scenario whose description is markup."""
    folder = tmp_path_factory.mktemp("browser")
    write_network(folder, promo=f"description = '{NASTY}'\n{PROMO}")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    """The server, and a session beside the browser's."""
    with served(folder) as client:
        for name in ("", "promo.toml"):
            client.ended(client.post("/start", network="small", scenario=name).to.partition("=")[2])
        yield client


@pytest.fixture
def driver(client: Client, tmp_path: Path) -> Iterator[Any]:
    """A browser that was given the printed address."""
    with opened(client.server.address, tmp_path / "profile") as driver:
        yield driver
        told = [line["message"] for line in driver.get_log("browser")]
        assert [line for line in told if "status of 400" not in line] == []  # a form that comes back with its faults


def until(driver: Any, check: Any, patience: float = 90) -> Any:
    """Wait until the page says so."""
    from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
    from selenium.webdriver.support.ui import WebDriverWait

    ignored = [StaleElementReferenceException, WebDriverException]
    return WebDriverWait(driver, patience, 0.1, ignored_exceptions=ignored).until(check)


def words(driver: Any) -> str:
    """What the page reads as."""
    return str(driver.execute_script("return document.body.innerText"))


def press(driver: Any, css: str) -> None:
    """Press a button by keyboard."""
    from selenium.webdriver.common.keys import Keys

    driver.find_element("css selector", css).send_keys(Keys.ENTER)


def test_the_token_leaves_the_address_and_two_are_compared(driver: Any, client: Client) -> None:
    """The token is gone from the address bar; two boxes ticked by keyboard lead to the comparison, and a link back."""
    from selenium.webdriver.common.keys import Keys

    assert "token" not in driver.current_url
    assert driver.execute_script("return document.cookie") == ""
    assert NASTY in words(driver)
    boxes = driver.find_elements("css selector", 'input[name="plan"]')
    for box in boxes[:2]:
        box.send_keys(Keys.SPACE)
    press(driver, 'form[action="/compare"] button')
    until(driver, lambda d: "Every difference is to" in words(d))
    assert len(driver.find_elements("css selector", "svg.bar")) > 4
    driver.find_element("css selector", 'a[href="/"]').click()
    until(driver, lambda d: "Networks and scenarios" in words(d))


def test_edit_and_run_with_progress_to_done(driver: Any, client: Client, folder: Path) -> None:
    """A scenario edited in the form: a fault is shown at its field, mended, saved under a name, run to done; its plan is in the list."""
    driver.get(f"http://{client.host}/edit?scenario=promo.toml")
    factor = driver.find_element("name", "change-0-edit-0-value")
    factor.clear()
    factor.send_keys("much")
    name = driver.find_element("name", "name")
    name.clear()
    name.send_keys("half-as-much-again")
    press(driver, 'button[value="run"]')
    until(driver, lambda d: "is not a number" in words(d))
    assert driver.find_element("name", "change-0-edit-0-column").get_attribute("aria-invalid") == "true"
    factor = driver.find_element("name", "change-0-edit-0-value")
    factor.clear()
    factor.send_keys("1.5")
    press(driver, 'button[value="run"]')
    until(driver, lambda d: "/run" in d.current_url)
    driver.execute_script(
        "window.seen = []; new MutationObserver(() => { const p = document.querySelector('.doing'); if (p) sessionStorage.seen ="
        " (sessionStorage.seen || '') + '|' + p.textContent; }).observe(document.querySelector('main'), {childList: true, subtree: true, characterData: true})"
    )
    until(driver, lambda d: "Open the plan" in words(d))
    seen = set(str(driver.execute_script("return sessionStorage.seen || ''")).split("|"))
    assert len(seen) > 2, seen
    driver.find_element("link text", "Open the plan").click()
    until(driver, lambda d: "VALUE OF THE PLAN" in words(d).upper())
    place = next((folder / "plans").glob("small+half-as-much-again.*"))
    value = allocator.read_plan(place).certificate["value"]
    assert re.search(rf"\b{value:,.0f}\b", words(driver))
    assert allocator.read(folder / "small", scenario="half-as-much-again").changes is not None


def test_decide_a_quantity_and_plan_again(driver: Any, client: Client, folder: Path) -> None:
    """From the plan to an item, to a site of it, a lock with reason and planner, and a plan that ships that quantity."""
    from selenium.webdriver.support.ui import Select

    driver.find_element("partial link text", "plans/small.").click()
    until(driver, lambda d: d.find_element("link text", "milk")).click()
    until(driver, lambda d: "Stock over time" in words(d))
    charts = driver.execute_script(
        "return Array.from(document.querySelectorAll('svg.chart')).map(s => s.getBoundingClientRect().width)"
    )
    assert charts
    assert min(charts) > 200
    until(driver, lambda d: d.find_element("css selector", "#t-balance").find_element("link text", "S2")).click()
    until(driver, lambda d: "Decide a quantity" in words(d))
    Select(driver.find_element("name", "lane")).select_by_visible_text("DC to S2")
    Select(driver.find_element("name", "date")).select_by_value("2026-03-03")
    for name, text in (("quantity", "2"), ("reason", NASTY), ("planner", "Ada")):
        driver.find_element("name", name).send_keys(text)
    press(driver, 'button[value="replan"]')
    until(driver, lambda d: "Open the plan" in words(d))
    ships = allocator.read_plan(next((folder / "plans").glob("small+decided.*"))).shipments
    mine = (ships["item"] == "milk") & (ships["destination"] == "S2") & (ships["origin"] == "DC")
    assert ships.loc[mine & (ships["ship_date"].astype(str) == "2026-03-03"), "quantity"].tolist() == [2.0]


def test_cancel(driver: Any, client: Client, folder: Path) -> None:
    """Run, then Cancel: the page says so, and no plan appears."""
    driver.get(f"http://{client.host}/edit?network=small")
    driver.find_element("name", "name").send_keys("stopped")
    driver.find_element("name", "rest").send_keys("[set]\ncommit_days = 1\n")
    press(driver, 'button[value="run"]')
    until(driver, lambda d: "/run" in d.current_url and d.find_element("css selector", 'form[action="/cancel"] button'))
    press(driver, 'form[action="/cancel"] button')
    until(driver, lambda d: "cancelled" in words(d))
    assert not list((folder / "plans").glob("small+stopped.*/manifest.json"))


@pytest.mark.parametrize("width", [1400, 420])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_or_refused(client: Client, folder: Path, tmp_path: Path, width: int, dark: bool) -> None:
    """At a desk and on a phone, light and dark: every page fits its window, nothing is refused, and letters stand out."""
    plan = next(path.name for path in (folder / "plans").glob("small.*"))
    fixed = f"plan=plans/{plan}"
    places = ["/", f"/plan?{fixed}", f"/report?{fixed}", f"/item?{fixed}&item=milk", f"/site?{fixed}&site=S1"]
    places += [
        f"/place?{fixed}&item=milk&site=S1&instead=9",
        "/edit?scenario=promo.toml",
        "/edit?network=small",
        "/run?run=1",
        "/nowhere",
    ]
    with opened(client.server.address, tmp_path / "profile", width, dark) as driver:
        for place in places:
            driver.get(f"http://{client.host}{place}")
            wide, room = driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            assert room == width
            assert wide <= width, place
            assert driver.execute_script(OUTSIDE) == [], place
            colours = driver.execute_script(
                "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor].map(c => c.match(/[0-9]+/g).slice(0, 3).map(Number))"
            )
            ink, paper = (sum(colour) / 3 for colour in colours)
            assert (ink > 180 and paper < 60) if dark else (ink < 60 and paper > 220)
        told = [line["message"] for line in driver.get_log("browser")]
        assert [line for line in told if "/nowhere" not in line] == []


def test_ctrl_c_ends_server_and_run(folder: Path) -> None:
    """The command prints its address once, answers, and ends with its run at Ctrl-C, exit code 0."""
    command = [sys.executable, "-m", "allocator", "serve", str(folder)]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(part for part in sys.path if part))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        address = process.stdout.readline().strip()  # type: ignore[union-attr]
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", address)
        import urllib.request

        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = opener.open(address).read().decode()
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        origin = address.partition("/?")[0]
        body = f"csrf={csrf}&network=small&scenario=&gap=9".encode()
        opener.open(urllib.request.Request(f"{origin}/start", body, {"Origin": origin}))
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert rest == ""
    assert said.splitlines()[-1] == "stopped"
    assert "Traceback" not in said
