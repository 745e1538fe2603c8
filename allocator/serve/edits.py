"""What the forms do: edit a scenario and save it, run it, cancel a run, decide a quantity and plan again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from allocator.options import ENGINES, Options
from allocator.scenario import Chosen, read_chosen
from allocator.scenario.overlay import Overlay, parse_overlay
from allocator.scenario.writing import document
from allocator.serve import forms, overriding
from allocator.serve.asked import Asked, Refused
from allocator.serve.forms import Errors, ScenarioForm
from allocator.serve.holdings import Holdings, NetworkHeld, PlanHeld
from allocator.serve.saving import NotSavedError, place_for, save
from allocator.serve.views import Views, seeother
from allocator.tables.findings import Finding, InputError
from allocator.tables.places import called
from allocator.tables.schema import SCHEMA

MOST_MEMBERS = 20
"""Most runs that one click may ask for, where a scenario sweeps a number."""
_TABLES = {name: ", ".join(spec.names) for name, spec in SCHEMA.items()}


class Edits:
    """The forms over one folder."""

    def __init__(self, views: Views) -> None:
        self.views, self.served, self.runs = views, views.served, views.runs

    def edit(self, asked: Asked) -> Response:
        """Show the form of a scenario, or a blank one for a network."""
        holdings = self.served.look()
        if not asked.has("scenario"):
            network = self.views.found("network", holdings.networks, asked.one("network"))
            return self._form(ScenarioForm("", network.name), {})
        held = self.views.found("scenario", holdings.scenarios, asked.one("scenario"))
        if held.overlay is None or held.network is None:
            why = held.fault or "its base is not a network under this folder"
            raise Refused(409, f"{held.name} can't be edited here: {why}; mend the file by hand")
        form = forms.shown(held.title, held.network, held.overlay.content)
        if not forms.whole(form, held.overlay.content):
            raise Refused(
                409, f"{held.name} holds values that a form can't (an empty list, a line break); edit the file by hand"
            )
        return self._form(form, {})

    def sent(self, asked: Asked) -> Response:
        """Do what the form's button asks: reshape it, check, save, or save and run."""
        form, action = forms.read_form(asked), asked.one("action")
        again = forms.reshaped(form, action)
        if again is not None:
            return self._form(again, {})
        form = forms.filled(form)
        holdings = self.served.look()
        network = self.views.found("network", holdings.networks, form.network)
        errors: Errors = {}
        made = self._made(form, network, holdings, errors)
        if made is None or errors:
            return self._form(form, errors)
        text, family, said = made
        if action == "check":
            return self._form(form, {}, said)
        options = _options(asked, errors) if action == "run" else None
        if errors:
            return self._form(form, errors)
        try:
            save(text, family[0].path, asked.one("seen"))
        except NotSavedError as error:
            return self._form(form, {"name": [str(error)]}, seen=error.seen)
        except OSError as error:
            return self._form(form, {"top": [f"{error.strerror or error}; nothing was saved"]})
        if options is None:
            return seeother("/")
        return self._run([Chosen(network.path, (member,)) for member in family], options)

    def _made(
        self, form: ScenarioForm, network: NetworkHeld, holdings: Holdings, errors: Errors
    ) -> tuple[str, list[Overlay], list[str]] | None:
        """Make the file's text and lay it on the network, checked as `allocator check` does; faults go beside their fields."""
        try:
            target = place_for(form.name, network, self.served, holdings)
        except NotSavedError as error:
            errors["name"] = [str(error)]
            return None
        base = os.path.relpath(network.path, target.parent)
        text = document(forms.stated(form, base, errors))
        findings: list[Finding] = []
        overlay = parse_overlay(text, target, findings)
        forms.beside(findings, form, errors)
        if overlay is None:
            return None
        family, said = overlay.members(), list[str]()
        try:
            said = [str(note) for note in read_chosen(Chosen(network.path, (family[0],))).notes]
        except InputError as error:
            forms.beside(error.findings, form, errors)
        return text, family, said

    def _form(self, form: ScenarioForm, errors: Errors, said: Iterable[str] = (), seen: str = "") -> Response:
        return self.views.page(
            "scenario.html.j2",
            400 if errors else 200,
            form=form,
            errors=errors,
            said=list(said),
            seen=seen,
            tables=_TABLES,
            kinds=forms.KINDS,
            engines=ENGINES,
        )

    def start(self, asked: Asked) -> Response:
        """Run a network as it is, or a scenario on it, with what is stated in the list."""
        holdings, errors = self.served.look(), dict[str, list[str]]()
        options = _options(asked, errors)
        if errors or options is None:
            raise Refused(400, "; ".join(line for lines in errors.values() for line in lines))
        network = self.views.found("network", holdings.networks, asked.one("network"))
        if not asked.one("scenario"):
            return self._run([Chosen(network.path)], options)
        held = self.views.found("scenario", holdings.scenarios, asked.one("scenario"))
        if held.overlay is None or held.network != network.name:
            raise Refused(
                409, f"{held.name} is no scenario of {network.name}; {held.fault or 'pick one from the list'}"
            )
        return self._run([Chosen(network.path, (member,)) for member in held.overlay.members()], options)

    def _run(self, family: list[Chosen], options: Options) -> Response:
        if len(family) > MOST_MEMBERS:
            why = (
                f"the scenario makes {len(family)} networks, more than {MOST_MEMBERS}; run them with allocator compare"
            )
            raise Refused(400, why)
        read = [(_label(chosen), read_chosen(chosen)) for chosen in family]  # all are checked before one is planned
        started = [self.runs.add(label, tables, options).number for label, tables in read]
        return seeother("/run", run=str(started[0])) if len(started) == 1 else seeother("/")

    def cancel(self, asked: Asked) -> Response:
        """Cancel a run."""
        number = asked.number("run")
        if number is not None:
            self.runs.cancel(number)
        return seeother("/run", run=asked.one("run"))

    def override(self, asked: Asked) -> Response:
        """Write a lock into a scenario, and plan again with it if that is asked."""
        holdings, plan = self.views.held(asked)
        errors: Errors = {}
        source = overriding.source_of(plan, holdings)
        if source is None:
            raise Refused(
                409,
                f"the network {plan.manifest.get('network')!r} that this plan was made from, with its scenarios, is not under "
                f"{self.served.title}; serve a folder that holds both",
            )
        if not source.same and not asked.has("moved"):
            why = "the network or a scenario of it has changed since this plan was made; tick the box to lay the lock on it as it is now"
            return self.views.place(asked, {"moved": [why]}, seen=asked.one("seen"))
        made = self._locked(asked, plan, source, holdings, errors)
        if made is None or errors:
            return self.views.place(asked, errors)
        text, chosen, tables = made
        target = chosen.overlays[-1].path
        try:
            save(text, target, asked.one("seen"))
        except NotSavedError as error:
            why = f"{target.name} is there already; tick the box to add the lock to it, or give another name"
            return self.views.place(asked, {"name": [why]}, seen=error.seen)
        except OSError as error:
            return self.views.place(asked, {"top": [f"{error.strerror or error}; nothing was saved"]})
        if asked.one("action") != "replan":
            return seeother("/edit", scenario=self.served.place(target))
        return seeother("/run", run=str(self.runs.add(_label(chosen), tables, _same_options(plan)).number))

    def _locked(
        self, asked: Asked, plan: PlanHeld, source: overriding.Source, holdings: Holdings, errors: Errors
    ) -> tuple[str, Chosen, Any] | None:
        network = self.views.read(plan).network
        offered = overriding.ways(network, asked.one("site"))
        number = asked.number("lane")
        if number is None or number >= len(offered):
            errors["lane"] = ["is no lane of this site; pick one"]
            return None
        lane = offered[number].lane
        found = overriding.overlay_with(asked, lane, source, network, self.served, holdings, errors)
        if found is None or errors:
            return None
        text, overlay = found
        chosen = overriding.resolved(source, overlay)
        try:
            return text, chosen, read_chosen(chosen)
        except InputError as error:
            overriding.beside(error.findings, errors)
            return None


def _label(chosen: Chosen) -> str:
    """What a run is called: the network's folder and the scenarios on it."""
    return "+".join([called(chosen.network), *chosen.names])


def _options(asked: Asked, errors: Errors) -> Options | None:
    """Read gap (per cent), deadline (minutes) and engine; blank ones are as in `allocator plan`."""
    engine = asked.one("engine") or "auto"
    if engine not in ENGINES:
        errors["engine"] = [f"is no engine; the engines are {', '.join(ENGINES)}"]
    gap = _number(asked, "gap", 0, 100, "per cent", errors)
    minutes = _number(asked, "deadline", 0.05, 100_000, "minutes", errors)
    if errors:
        return None
    return Options(engine, None if gap is None else gap / 100, None if minutes is None else 60 * minutes, workers=1)


def _number(asked: Asked, name: str, low: float, high: float, unit: str, errors: Errors) -> float | None:
    text = asked.one(name).strip()
    if not text:
        return None
    try:
        figure = float(text)
    except ValueError:
        figure = -1.0
    if low <= figure <= high and re.fullmatch(r"[0-9.eE+-]+", text):
        return figure
    errors[name] = [f"{name} {text!r} is not from {low:g} to {high:g}; give {unit}, or leave it blank"]
    return None


def _same_options(plan: PlanHeld) -> Options:
    """Plan again as the plan was made."""
    stated = plan.manifest.get("options") or {}
    engine = stated.get("engine")
    figures = {
        name: float(value) if isinstance(value := stated.get(name), int | float) else None
        for name in ("gap", "deadline")
    }
    rule = stated.get("rule") if stated.get("rule") in ("A", "B", "C", "D") else "A"
    return Options(engine if engine in ENGINES else "auto", figures["gap"], figures["deadline"], str(rule), workers=1)
