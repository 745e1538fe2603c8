"""The report: one HTML file that opens offline, holds no outside address, and runs no script but its own."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd
from markupsafe import Markup

from allocator.measure import Days, capacity_use, headline
from allocator.measure.days import DATES, dated
from allocator.measure.rows import records
from allocator.report import answer, closer, lists, lots_at_risk, pictures, served, words

if TYPE_CHECKING:
    from allocator.explain import Explanation
    from allocator.tables import Tables

PAGE = "page"


def render(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame],
    certificate: Mapping[str, Any],
    kpis: pd.DataFrame,
    manifest: Mapping[str, Any],
    baseline_kpis: pd.DataFrame | Mapping[str, float] | None = None,
    *,
    explain: closer.Explain | None = None,
    answers: Sequence[Explanation] = (),
) -> str:
    """Draw the report of a plan.

    Parameters
    ----------
    tables : Tables
        The network.
    plan : Mapping of str to DataFrame
        The plan's tables.
    certificate : Mapping
        As in certificate.json: objective, value, bound, gap, status, engine, components, prices.
    kpis : DataFrame
        What `allocator.measure.measure` gave.
    manifest : Mapping
        Where the plan comes from: plan_id, network, created, engine, options, versions, timings, files, notes,
        quarantined, input_hash. The page holds no other clock than `created`.
    baseline_kpis : DataFrame or Mapping of str to float, optional
        The rules engine's KPIs on the same input.
    explain : callable, optional
        Explains pairs of item and site; those where most is at stake are then told in the closer look.
    answers : sequence of Explanation, optional
        Explanations that were asked for, shown first there.

    Returns
    -------
    str
        The page; the same arguments give the same text.
    """
    style, script = _asset("style.css"), _asset("script.js")
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            style=Markup(style),
            script=Markup(script),
            policy=content_policy(style, script),
            **context(tables, plan, certificate, kpis, manifest, baseline_kpis, explain, answers),
        )
    )


def _asset(name: str) -> str:
    return asset("allocator.report", PAGE, name)


def asset(package: str, *parts: str) -> str:
    """Read a part of a page from a package, without indentation and blank lines."""
    whole = resources.files(package).joinpath(*parts).read_text(encoding="utf-8")
    return "\n".join(line.strip() for line in whole.splitlines() if line.strip())


def policy() -> str:
    """State the content policy of the reports that this version draws."""
    return content_policy(_asset("style.css"), _asset("script.js"))


def environment(package: str = "allocator.report", folder: str = PAGE) -> jinja2.Environment:
    """Give the templates of a package's folder, and the report's own parts for them to import; whatever is filled in is escaped."""

    def load(name: str) -> str:
        try:
            return asset(package, folder, name)
        except FileNotFoundError:
            return _asset(name)

    return jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=jinja2.FunctionLoader(load),
    )


def content_policy(style: str, script: str) -> str:
    """State what the browser may run: this style and this script, known by their hashes, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )


def context(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame],
    certificate: Mapping[str, Any],
    kpis: pd.DataFrame,
    manifest: Mapping[str, Any],
    baseline_kpis: pd.DataFrame | Mapping[str, float] | None,
    explain: closer.Explain | None = None,
    answers: Sequence[Explanation] = (),
) -> dict[str, Any]:
    """Work out everything the page shows."""
    settings, days, plan = tables.settings, Days.of(tables), _dated(plan)
    currency = settings.currency
    base = headline(baseline_kpis) if isinstance(baseline_kpis, pd.DataFrame) else baseline_kpis
    prices = certificate.get("prices") or []
    return {
        "words": words,
        "name": settings.name,
        "currency": currency,
        "horizon": _horizon(settings.start, days),
        "days": [words.day(date) for date in days.dates()],
        **_answer(plan, certificate, kpis, base, currency),
        **_drawings(tables, plan, kpis, days),
        **_capacity(tables, plan, prices, days, currency),
        **_rest(tables, plan, days, currency),
        **_closer(tables, plan, kpis, days, explain, answers),
        **_provenance(manifest, tables),
    }


def _dated(plan: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give a plan's tables with timestamps; those that have them already are not copied."""
    plain = {
        name: frame for name, frame in plan.items() if any(frame[c].dtype.kind != "M" for c in DATES if c in frame)
    }
    return {**plan, **dated(plain)}


def _horizon(start: datetime.date, days: Days) -> str:
    end = start + datetime.timedelta(days=days.horizon - 1)
    return f"{words.full_day(start)} to {words.full_day(end)}, {days.horizon} days"


def _answer(
    plan: Mapping[str, pd.DataFrame],
    certificate: Mapping[str, Any],
    kpis: pd.DataFrame,
    base: Mapping[str, float] | None,
    currency: str,
) -> dict[str, Any]:
    value = float(certificate["value"])
    stated = certificate.get("value_over_rules")
    over = value - float(base["value"]) if base and "value" in base else None if stated is None else float(stated)
    broken, findings = answer.check(certificate)
    gave, dearest = answer.gave(plan["exceptions"], currency)
    return {
        "value": words.figure(value),
        "proof": answer.proof(certificate, currency),
        "over_rules": None if over is None else f"{words.money(abs(over), currency)} {'more' if over >= 0 else 'less'}",
        "over_mood": "good" if over is None or over >= 0 else "bad",
        "degraded": answer.degraded(certificate),
        "broken": broken,
        "findings": findings,
        "gave": gave,
        "dearest": dearest,
        "gave_more": max(0, len(plan["exceptions"]) - len(dearest)),
        "tiles": answer.tiles(kpis, base, currency),
        "steps": answer.steps(certificate["components"]),
        "rules": answer.beside_rules(kpis, base, currency),
        "status": str(certificate.get("status", "")),
        "engine": str(certificate.get("engine", "")),
        "violation": f"{float(certificate.get('largest_violation') or 0.0):.2g}",
    }


def _drawings(tables: Tables, plan: Mapping[str, pd.DataFrame], kpis: pd.DataFrame, days: Days) -> dict[str, Any]:
    wide, narrow, map_words = pictures.maps(tables, plan, kpis)
    split, split_count, split_words = pictures.methods(plan)
    stock_charts, stock_words = pictures.stock(tables, plan, days)
    channels, daily, service_words = served.service(tables, plan, kpis, days)
    return {
        **{"map_wide": wide, "map_narrow": narrow, "map_words": map_words},
        **{"split": split, "split_count": split_count, "split_words": split_words},
        **{"stock_charts": stock_charts, "stock_words": stock_words},
        **{"channels": channels, "daily": daily, "service_words": service_words},
    }


def _capacity(
    tables: Tables, plan: Mapping[str, pd.DataFrame], prices: Any, days: Days, currency: str
) -> dict[str, Any]:
    heat, count = lists.heat(capacity_use(tables, plan, days), prices, days, currency)
    # room in vehicles comes last: it is sold by the vehicle, so the price of one m3 says little
    dearest = sorted(
        (price for price in prices if float(price["price"]) > 0),
        key=lambda price: (
            price["resource"] == "vehicles",
            -float(price["price"]),
            words.worth_sentence(price, currency),
        ),
    )
    said = "No capacity is tight enough to have a price."
    if dearest:
        first = words.worth_sentence(dearest[0], currency)
        said = f"Dearest: {first}."
    elif count == 0:
        said = "No capacity is limited."
    return {"heat": heat, "heat_count": count, "capacity_words": said, "prices": lists.tight_prices(prices, currency)}


def _rest(tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days, currency: str) -> dict[str, Any]:
    about = closer.names(tables)
    reasons, unmet, unmet_words = lists.unmet(plan["unmet"], currency, about)
    risky, risk_chart, risk_words = lots_at_risk.at_risk(lots_at_risk.lots_left(tables, plan), days, currency)
    return {
        **{"reasons": reasons, "unmet": unmet, "unmet_words": unmet_words},
        **{"risk_chart": risk_chart, "risk_words": risk_words, "lots": lists.risky(risky, currency, about)},
        "exceptions": lists.mends(plan["exceptions"], currency, about),
        "shipments": lists.shipments(plan["shipments"], about),
    }


def _closer(
    tables: Tables,
    plan: Mapping[str, pd.DataFrame],
    kpis: pd.DataFrame,
    days: Days,
    explain: closer.Explain | None,
    answers: Sequence[Explanation],
) -> dict[str, Any]:
    stories = [] if explain is None else closer.stories(plan, closer.at_stake(tables, plan), explain, answers)
    items, sites = closer.rows_by(tables, plan, kpis, days, tables.settings.currency, stories)
    return {"items": items, "sites": sites, "stories": stories}


def _provenance(manifest: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """Say where the plan comes from; whatever the manifest lacks is left out."""
    plain = [
        ("Plan", "plan_id"),
        ("Network", "network"),
        ("Made", "created"),
        ("Engine", "engine"),
        ("Input hash", "input_hash"),
    ]
    facts = [(title, str(manifest[name])) for title, name in plain if manifest.get(name)]
    for title, name, unit in (("Options", "options", ""), ("Versions", "versions", ""), ("Timings", "timings", " s")):
        pairs = dict(manifest.get(name) or {})
        if pairs:
            facts.append((title, ", ".join(f"{key} {_plain(value)}{unit}" for key, value in sorted(pairs.items()))))
    files = manifest.get("files") or {}
    aside = manifest.get("quarantined")
    return {
        "facts": facts,
        "plan_id": str(manifest.get("plan_id", "")),
        "files": sorted((str(name), _digest(entry)) for name, entry in dict(files).items()),
        "notes": [_sentence(note) for note in manifest.get("notes") or []],
        "quarantined": lists.set_aside(aside if isinstance(aside, list) else records(tables.quarantined)),
    }


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _digest(entry: Any) -> str:
    return str(entry.get("sha256", "")) if isinstance(entry, Mapping) else str(entry)


def _sentence(note: Any) -> str:
    return ", ".join(f"{key}: {value}" for key, value in note.items()) if isinstance(note, Mapping) else str(note)
