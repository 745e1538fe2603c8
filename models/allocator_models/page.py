"""The page of the mathematics (models/README.md), made from the laws themselves.

Write it again with ``python -m allocator_models.page > models/README.md`` after changing a law, a symbol or a variable.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from allocator_models import outlooks, words
from allocator_models.block import LAWS, USES, VARIABLES, data_shapes
from allocator_models.laws import demand, lanes, resources, shared, stock
from allocator_models.resources import RESOURCE_DATA
from allocator_models.structure import COVERS, Structure

_ROOMS = {
    demand: "Demand",
    lanes: "Lanes",
    stock: "Stock at a site",
    resources: "What an item uses of the shared resources",
}
_INDEX = {
    "Site": "site s",
    "Lane": "lane l",
    "Claim": "claim d",
    "Arc": "service arc a",
    "Channel": "channel c",
    "Bucket": "bucket t",
    "ExpiryClass": "expiry class e",
    "int": "level j",
}


def law_page() -> str:
    """Return the Markdown page of the mathematics.

    Raises
    ------
    ValueError
        When a symbol, variable or law has no words of its own in :mod:`allocator_models.words`.
    """
    parts = [words.HEAD, _sets(), _symbols(), _variables(), words.LAWS_HEAD]
    for room, title in _ROOMS.items():
        names = [name for name, law in LAWS.items() if inspect.getmodule(law.function) is room]
        parts.append(f"### {title}\n\n`allocator_models/laws/{_file(room)}`\n")
        parts += [_law(name, LAWS[name].function, words.WHERE[name], name in USES) for name in names]
    parts.append(_outlooks())
    parts.append(words.SHARED_HEAD + _rows(("symbol", "shape", "unit", "meaning"), _resource_rows()))
    parts.append(_rows(("variable", "index", "unit", "meaning"), words.RESOURCE_VARIABLES))
    parts += [_law(f"shared {name}", law, words.SHARED_WHERE[name], False) for name, law in shared_laws().items()]
    return "\n".join(parts) + "\n" + words.COST


def _outlooks() -> str:
    """The law that ties several outlooks together, and what it ties."""
    varying = " and ".join(f"`{name}`" for name in outlooks.BY_OUTLOOK)
    body = _text(outlooks.foresight)
    decided = [name for name in VARIABLES if outlooks.DECIDED[name] is not outlooks.never]
    return (
        words.OUTLOOKS_HEAD.format(varying=varying)
        + f"### foresight\n\n{body}\n\n- For each outlook w after the first; members of the commit window of "
        + ", ".join(f"`{name}`" for name in decided)
        + ".\n"
    )


def shared_laws() -> dict[str, Callable[..., Any]]:
    """Give the laws of what items share, by the name of their function."""
    return {
        name: function
        for name, function in vars(shared).items()
        if inspect.isfunction(function) and function.__module__ == shared.__name__ and not name.startswith("_")
    }


def dual(name: str, function: Callable[..., Any]) -> str:
    """Say what the dual of a law means; empty when nobody has said so."""
    stated = re.search(r"Dual: (.+)$", _text(function), re.S)
    return stated[1] if stated else words.DUALS.get(name, "")


def _law(name: str, function: Callable[..., Any], where: str, use: bool) -> str:
    """One law: its sentence, formula, index, unit and dual, from its docstring."""
    sentence, _, rest = _text(function).partition("\n\n")
    if use:
        sentence, _, rest = sentence.partition(": ")
    body = re.sub(r"\s*Dual: .+$", "", rest, flags=re.S).strip()
    unit = re.search(r" ?\[([^\]]+)\]$", body or sentence)
    if use and unit:
        sentence, body = sentence.replace(unit[0], ""), body.replace(unit[0], "")
        body = f"{body.rstrip('.')}; {unit[1]}." if body else f"Unit: {unit[1]}."
    lines = [f"#### {name}\n", f"{sentence.rstrip('.')}.\n", f"{body}\n", f"- For {_index(function)}{where}."]
    lines += [] if use else [f"- Dual: {dual(name, function)}"]
    return "\n".join(lines) + "\n"


def _text(function: Callable[..., Any]) -> str:
    """The docstring, wrapped lines joined, formulas in Markdown's backticks."""
    text = inspect.cleandoc(function.__doc__ or "").replace("``", "`")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _index(function: Callable[..., Any]) -> str:
    kinds = [str(p.annotation) for p in list(inspect.signature(function).parameters.values())[1:]]
    return "each " + ", ".join(_INDEX[kind] for kind in kinds)


def _sets() -> str:
    rows = [(f"`{letter}`", text) for letter, text in words.SETS.items()]
    about = inspect.cleandoc(Structure.__doc__ or "").split("\n\n")[1]
    return f"## Sets\n\n{' '.join(about.split())}\n\n" + _rows(("index", "set"), rows)


def _symbols() -> str:
    shapes = _symbol_shapes()
    _same("symbols of an item's data", shapes, words.SYMBOLS)
    rows = [(f"`{name}`", shape, *words.SYMBOLS[name]) for name, shape in shapes.items()]
    return words.SYMBOLS_HEAD + _rows(("symbol", "index", "unit", "meaning"), rows)


def _variables() -> str:
    _same("variables", VARIABLES, words.VARIABLES)
    rows = [(f"`{name}`", *words.VARIABLES[name]) for name in VARIABLES]
    return words.VARIABLES_HEAD + _rows(("variable", "index", "unit", "meaning"), rows)


def _symbol_shapes() -> dict[str, str]:
    """Index letters of every symbol, read off their shapes in a structure whose sets all differ in size."""
    sizes = {"s": 19, "j": COVERS, "t": 3, "e": 5, "d": 7, "a": 11, "l": 13, "committed t": 17}
    letters = {size: letter for letter, size in sizes.items()}

    class Sizes:
        sites, _, buckets, classes, claims, arcs, lanes, committed = sizes.values()

    shapes = data_shapes(Sizes())  # type: ignore[arg-type]
    return {name: ", ".join(letters[size] for size in shape) or "item" for name, shape in shapes.items()}


def _resource_rows() -> list[tuple[str, ...]]:
    _same("data of the shared laws", RESOURCE_DATA, words.RESOURCE_SYMBOLS)
    return [(f"`{name}`", *words.RESOURCE_SYMBOLS[name]) for name in RESOURCE_DATA]


def _same(what: str, code: Iterable[str], page: Iterable[str]) -> None:
    missing, strange = set(code) - set(page), set(page) - set(code)
    if missing or strange:
        raise ValueError(
            f"{what}: allocator_models.words lacks {sorted(missing)} and has {sorted(strange)} which the model has not"
        )


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _file(module: Any) -> str:
    return str(module.__name__).rpartition(".")[2] + ".py"


if __name__ == "__main__":
    _same("laws", LAWS, words.WHERE)
    _same("shared laws", shared_laws(), words.SHARED_WHERE)
    sys.stdout.write(law_page())
