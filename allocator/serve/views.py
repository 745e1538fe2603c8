"""Pages to read: the list, a plan, a closer look, a comparison, a run; each a function of what the address asks."""

from __future__ import annotations

import html
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from allocator.comparison import compare
from allocator.options import ENGINES
from allocator.plan.plan import Plan, read_plan
from allocator.report import words
from allocator.report.render import asset, environment, policy
from allocator.serve import closeup
from allocator.serve.asked import Asked, Refused
from allocator.serve.gate import Gate
from allocator.serve.holdings import Holdings, PlanHeld, Served
from allocator.serve.overriding import KINDS, dates, ways
from allocator.serve.runs import DONE, Runs, State
from allocator.tables.findings import InputError

KEPT_PLANS, KEPT_PAGES = 4, 8
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
Kept = TypeVar("Kept")
Found = TypeVar("Found")


class Shelf(OrderedDict[Hashable, Any]):
    """The few things asked for last."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    def once(self, key: Hashable, make: Callable[[], Kept], most: int) -> Kept:
        """What was made for a key, made now if it was not; the one asked for longest ago goes."""
        with self._lock:  # two tabs that ask for the same wait for one making of it
            if key not in self:
                self[key] = make()
            self.move_to_end(key)
            while len(self) > most:
                self.popitem(last=False)
            kept: Kept = self[key]
            return kept


class Views:
    """The pages over one folder.

    Parameters
    ----------
    served : Served
    runs : Runs
    """

    def __init__(self, served: Served, runs: Runs) -> None:
        self.served, self.runs = served, runs
        self.gate: Gate | None = None
        self._templates = environment("allocator.serve", "assets")
        self._templates.filters["address"] = urlencode
        self._plans, self._pages = Shelf(), Shelf()

    # -- what is asked for -------------------------------------------------------------------------------------------

    def held(self, asked: Asked) -> tuple[Holdings, PlanHeld]:
        """The plan that an address names.

        Raises
        ------
        Refused
        """
        holdings = self.served.look()
        return holdings, self.found("plan", holdings.plans, asked.one("plan"))

    def found(self, kind: str, held: Mapping[str, Found], name: str) -> Found:
        """The plan, network or scenario that a name means.

        Raises
        ------
        Refused
        """
        if name not in held:
            raise Refused(404, f"there is no {kind} {name!r} under {self.served.title}; pick one from the list")
        return held[name]

    def read(self, plan: PlanHeld) -> Plan:
        """A plan's tables, kept while it is looked at.

        Raises
        ------
        Refused
        """
        try:
            return self._plans.once(
                (plan.name, plan.plan_id, plan.manifest.get("created")), lambda: read_plan(plan.path), KEPT_PLANS
            )
        except (OSError, ValueError) as error:
            first = (str(error).splitlines() or [""])[0]
            raise Refused(409, f"plan {plan.name} can't be read ({first}); plan it again") from None

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """Fill a template."""
        assert self.gate is not None
        known = {"folder": self.served.title, "csrf": self.gate.csrf, "words": words, "crumbs": []}
        return HTMLResponse(self._templates.get_template(template).render(**(known | context)), status)

    def message(self, status: int, title: str, lines: list[str]) -> Response:
        """Say in a page what went wrong and how to mend it."""
        return self.page("message.html.j2", status, title=title, lines=lines)

    # -- pages -------------------------------------------------------------------------------------------------------

    def index(self, asked: Asked) -> Response:
        """The list of networks, scenarios, plans and runs."""
        holdings = self.served.look()
        loose = [one for one in holdings.scenarios.values() if one.network is None]
        return self.page(
            "index.html.j2",
            networks=[(network, holdings.of_network(network.name)) for network in holdings.networks.values()],
            loose=loose,
            plans=[_listed(plan) for plan in holdings.plans.values()],
            runs=[self._state(state, holdings) for state in self.runs.all()],
            engines=ENGINES,
        )

    def plan(self, asked: Asked) -> Response:
        """A plan's page."""
        _, held = self.held(asked)
        look = closeup.overview(self.read(held), held.name)
        return self.page("plan.html.j2", plan=_listed(held), **look)

    def report(self, asked: Asked) -> Response:
        """A plan's report: the published file if this version drew it, else drawn again, so that no other script is ever run."""
        _, held = self.held(asked)
        try:
            text = (held.path / "report.html").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            text = ""
        found = _POLICY.search(text[:4096])
        if found is None or html.unescape(found[1]) != policy():
            text = self._pages.once(("report", held.name, held.plan_id), self.read(held).report, KEPT_PAGES)
        return _whole(text, policy(), f"/plan?{urlencode({'plan': held.name})}", f"Plan {held.name}")

    def item(self, asked: Asked) -> Response:
        """All of one item in a plan."""
        held, plan, item, _ = self._place(asked)
        look = closeup.of_item(plan, held.name, item)
        return self.page("closeup.html.j2", plan=_listed(held), look=look, crumbs=_crumbs(held))

    def site(self, asked: Asked) -> Response:
        """All of one site in a plan."""
        held, plan, _, site = self._place(asked)
        look = closeup.of_site(plan, held.name, site)
        return self.page("closeup.html.j2", plan=_listed(held), look=look, crumbs=_crumbs(held))

    def place(self, asked: Asked, errors: Mapping[str, list[str]] | None = None, seen: str = "") -> Response:
        """One item at one site: why it got this much, what another quantity would cost, and a form to decide otherwise."""
        held, plan, item, site = self._place(asked)
        instead, doubt = None, ""
        if asked.one("instead"):
            try:
                instead = float(asked.one("instead"))
            except ValueError:
                doubt = f"{asked.one('instead')!r} is not a number; give a quantity in units"
        try:
            story = plan.explain(item, site, instead)
        except ValueError as error:
            story, doubt = plan.explain(item, site), str(error)
        return self.page(
            "place.html.j2",
            400 if errors else 200,
            plan=_listed(held),
            look=closeup.of_place(plan, held.name, item, site),
            story=story,
            doubt=doubt,
            item=item,
            site=site,
            ways=ways(plan.network, site),
            dates=dates(plan.network),
            kinds=KINDS,
            asked=asked,
            errors=errors or {},
            seen=seen,
            crumbs=_crumbs(held, ("item", item), ("site", site)),
        )

    def compare(self, asked: Asked) -> Response:
        """The comparison of the plans picked; the base first."""
        holdings = self.served.look()
        names = list(dict.fromkeys([*filter(None, [asked.one("base")]), *asked.all("plan")]))
        if len(names) < 2:
            raise Refused(400, "pick two plans or more to compare; the box before each picks it")
        held = [self.found("plan", holdings.plans, name) for name in names]
        try:
            key = ("compare", *((plan.name, plan.plan_id) for plan in held))
            text = self._pages.once(key, lambda: compare([self.read(plan) for plan in held]).page(), KEPT_PAGES)
        except InputError as error:
            return self.message(400, "These plans can't be compared", [str(finding) for finding in error.findings])
        found = _POLICY.search(text)
        assert found is not None
        return _whole(text, html.unescape(found[1]), "/", f"Plans in {self.served.title}")

    def run(self, asked: Asked) -> Response:
        """A run and how far it is."""
        state = self._asked_run(asked)
        return self.page("run.html.j2", run=self._state(state, self.served.look()))

    def progress(self, asked: Asked) -> Response:
        """What has changed in a run, for the page's script."""
        run = self._state(self._asked_run(asked), None)
        return JSONResponse({key: run[key] for key in ("state", "live", "doing", "figures", "elapsed")})

    def _asked_run(self, asked: Asked) -> State:
        number = asked.number("run")
        state = None if number is None else self.runs.get(number)
        if state is None:
            raise Refused(
                404, f"there is no run {asked.one('run')!r} since the server began; finished plans are in the list"
            )
        return state

    def asset(self, name: str) -> Response:
        """The style or the script: the report's own, and what the page adds."""
        parts = {
            "style.css": ("text/css", ("allocator.comparison", "assets", "more.css"), "serve.css"),
            "script.js": ("text/javascript", None, "serve.js"),
        }
        if name not in parts:
            raise Refused(404, "there is no such file")
        kind, more, own = parts[name]
        texts = [
            asset("allocator.report", "page", name),
            *([asset(*more)] if more else []),
            asset("allocator.serve", "assets", own),
        ]
        return Response("\n".join(texts), media_type=kind)

    def _place(self, asked: Asked) -> tuple[PlanHeld, Plan, str, str]:
        """The plan, item and site of an address; a code that is not in the network is refused."""
        _, held = self.held(asked)
        plan = self.read(held)
        for table, field in (("items", "item"), ("sites", "site")):
            code = asked.one(field)
            if asked.has(field) and code not in plan.network[table][field].to_pylist():
                raise Refused(404, f"plan {held.name} has no {field} {code!r}; pick one from the plan's page")
        return held, plan, asked.one("item"), asked.one("site")

    def _state(self, state: State, holdings: Holdings | None) -> dict[str, Any]:
        """A run as the pages show it."""
        figures = [
            ("round", None if state.round is None else str(state.round)),
            ("value", _figure(state.value)),
            ("at most", _figure(state.bound)),
            ("gap", None if state.gap is None else words.gap(state.gap)),
        ]
        place = self.served.place(state.target)
        plan = holdings.plans.get(place) if holdings is not None and state.state == DONE else None
        if plan is not None:  # whole units were settled since the solver last said how far it was
            shown = _listed(plan)
            figures = [("value", f"{shown['value']} {shown['currency']}"), ("gap", shown["gap"])]
        return {
            **{"number": state.number, "label": state.label, "state": state.state, "live": state.live},
            **{"doing": state.doing, "error": state.error, "reused": state.reused},
            "figures": ", ".join(f"{name} {figure}" for name, figure in figures if figure is not None),
            "elapsed": f"{state.seconds:.0f} s" if state.began is not None else "",
            "plan": "" if plan is None else place,
        }


def seeother(page: str, **fields: str) -> Response:
    """Send the browser on to a page, so that going back or reloading sends no form again."""
    return RedirectResponse(f"{page}?{urlencode(fields)}" if fields else page, 303)


def _figure(figure: float | None) -> str | None:
    return None if figure is None or not math.isfinite(figure) else words.figure(figure)


def _listed(plan: PlanHeld) -> dict[str, Any]:
    """A plan in the list."""
    manifest, certificate = plan.manifest, plan.certificate
    gap = certificate.get("gap")
    return {
        "name": plan.name,
        "network": str(manifest.get("network", "")),
        "scenario": ", ".join(plan.scenario) or "as it is",
        "value": words.figure(float(certificate["value"])),
        "currency": plan.currency,
        "worth": float(certificate["value"]),
        "gap": "none proven" if words.is_missing(gap) or not isinstance(gap, int | float) else words.gap(float(gap)),
        "status": str(certificate.get("status", "")),
        "start": str(manifest.get("start", "")),
        "engine": str(manifest.get("engine", "")),
        "made": str(manifest.get("created", "")).replace("T", " ")[:16],
        "id": plan.plan_id,
    }


def _crumbs(held: PlanHeld, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The way back from a closer look: names with their addresses."""
    fixed = {"plan": held.name}
    return [(held.name, f"/plan?{urlencode(fixed)}")] + [
        (f"{field} {code}", f"/{field}?{urlencode(fixed | {field: code})}") for field, code in more
    ]


def _whole(text: str, rules: str, back: str, words: str) -> Response:
    """Answer with a page that stands alone, under its own policy, with a way back put first."""
    link = f'<p class="soft"><a href="{html.escape(back)}">← {html.escape(words)}</a></p>'
    page = text.replace("<body>\n", f"<body>\n{link}\n", 1)
    return HTMLResponse(page, headers={"Content-Security-Policy": f"{rules}; frame-ancestors 'none'"})
