"""Write the compiled rows of every law as text: ``python -m tests.golden.rows`` (``make golden``) writes ``tests/golden/laws/``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pyomo.repn import generate_standard_repn

from allocator.program.template import Linear, Template, compile_block
from allocator_models.block import LAWS, VARIABLES, data_shapes
from allocator_models.page import shared_laws
from allocator_models.resources import build_resources
from tests.golden.tiny import tiny_resources, tiny_structure

FOLDER = Path(__file__).parent / "laws"
_SIGNS = {0: "=", 1: "<=", -1: ">="}
_BREAK = 110


def golden() -> dict[str, str]:
    """Text of every golden file, by its name: one a law, one for each objective."""
    template = compile_block(tiny_structure())
    block = {name: _law(template, number) for number, name in enumerate(LAWS)}
    return block | {"cost": _cost(template)} | _shared()


def _law(template: Template, number: int) -> str:
    """Rows of a law of the block, in the order of its indices."""
    name, law = list(LAWS.items())[number]
    keys = list(law.indices(template.structure))
    columns, symbols = _columns(template), _symbols(template)
    lines = []
    for row in sorted(np.flatnonzero(template.law == number), key=lambda r: int(template.place[r])):
        span = range(template.indptr[row], template.indptr[row + 1])
        body = [(_amount(template.coefficients, k, symbols), columns[template.indices[k]]) for k in span]
        head = f"{name}{_index(keys[template.place[row]])}"
        if law.use:
            lines.append(_wrapped([f"{head} =", *_terms(body)]))
            continue
        right, sense = _amount(template.rhs, row, symbols), int(template.sense[row])
        if right and max(right.values()) < 0:  # the compiler turns >= rows around; read them as the law states them
            body, right, sense = [(_minus(amount), column) for amount, column in body], _minus(right), -sense
        lines.append(_wrapped([f"{head}:", *_terms(body), f"{_SIGNS[sense]} {_plain(right)}"]))
    return "\n".join(lines) + "\n"


def _cost(template: Template) -> str:
    """The objective of the block, a line a column that costs something."""
    symbols = _symbols(template)
    amounts = [_amount(template.cost, k, symbols) for k in range(len(template.variable))]
    lines = [f"{_plain(amount)} {name}" for amount, name in zip(amounts, _columns(template), strict=True) if amount]
    return "\n".join(lines) + "\n"


def _shared() -> dict[str, str]:
    """Rows of the laws of what items share, with numbers."""
    model = build_resources(tiny_structure(), tiny_resources())
    found = {}
    for name in shared_laws():
        rows = next(getattr(model, at) for at in (f"law_{name}", f"law_{name.removesuffix('s')}") if hasattr(model, at))
        found[f"shared_{name}"] = "\n".join(_relation(rows[key]) for key in rows) + "\n"
    repn = generate_standard_repn(model.cost.expr)
    lines = [f"{c:g} {v.name}" for c, v in zip(repn.linear_coefs, repn.linear_vars, strict=True)]
    return found | {"shared_cost": "\n".join(lines) + "\n"}


def _relation(row: Any) -> str:
    repn = generate_standard_repn(row.body)
    body = [({"": float(c)}, v.name) for c, v in zip(repn.linear_coefs, repn.linear_vars, strict=True)]
    lower, upper = row.lower, row.upper
    sign = "=" if row.equality else "<=" if upper is not None else ">="
    right = float(upper if upper is not None else lower) - float(repn.constant)
    return _wrapped([f"{row.name.removeprefix('law_')}:", *_terms(body), f"{sign} {right:g}"])


def _columns(template: Template) -> list[str]:
    """Name of every column, such as ``ship[0,1,0]``."""
    names = list(VARIABLES)
    keys = {name: list(indices(template.structure)) for name, indices in VARIABLES.items()}
    pairs = zip(template.variable, template.position, strict=True)
    return [f"{names[v]}{_index(keys[names[v]][p])}" for v, p in pairs]


def _symbols(template: Template) -> list[str]:
    """Name of every symbol of the data, such as ``supply[0,1,0]``."""
    names = []
    for name, shape in data_shapes(template.structure).items():
        names += [f"{name}{_index(key)}" for key in np.ndindex(*shape)]
    return names


def _amount(numbers: Linear, k: int, symbols: list[str]) -> dict[str, float]:
    """An entry as multiples of symbols; the name "" is the number itself."""
    row = numbers.symbolic[[k]].tocoo()
    terms = {symbols[column]: float(value) for column, value in sorted(zip(row.col, row.data, strict=True)) if value}
    return ({"": float(numbers.constant[k])} if numbers.constant[k] else {}) | terms


def _minus(amount: dict[str, float]) -> dict[str, float]:
    return {symbol: -value for symbol, value in amount.items()}


def _terms(body: Sequence[tuple[dict[str, float], str]]) -> list[str]:
    terms = [f"{_signed(amount)}{name}" for amount, name in body if amount]
    return [terms[0].removeprefix("+ "), *terms[1:]] if terms else ["0"]


def _signed(amount: dict[str, float]) -> str:
    if len(amount) > 1:
        return f"+ ({_plain(amount)}) "
    ((symbol, value),) = amount.items()
    size = "" if abs(value) == 1 else f"{abs(value):g} "
    return f"{'-' if value < 0 else '+'} {size}{symbol + ' ' if symbol else ''}"


def _plain(amount: dict[str, float]) -> str:
    """A sum of multiples, such as ``supply[0,0,1]`` or ``2 demand[0,1] - 1``."""
    parts = []
    for symbol, value in amount.items():
        size = f"{abs(value):g}" if not symbol else "" if abs(value) == 1 else f"{abs(value):g} "
        parts.append(f"{'-' if value < 0 else '+'} {size}{symbol}")
    text = " ".join(parts) or "0"
    return text.removeprefix("+ ") if text.startswith("+") else text.replace("- ", "-", 1)


def _index(key: Sequence[int]) -> str:
    return f"[{','.join(str(int(k)) for k in key)}]" if len(key) else ""


def _wrapped(words: list[str]) -> str:
    lines, now = [], ""
    for word in words:
        if now and len(now) + len(word) >= _BREAK:
            lines.append(now)
            now = "   "
        now = f"{now} {word}" if now else word
    return "\n".join([*lines, now])


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the golden files and remove those of laws that are gone; give what changed."""
    folder.mkdir(exist_ok=True)
    texts = golden()
    changed = []
    for path in sorted(folder.glob("*.txt")):
        if path.stem not in texts:
            path.unlink()
            changed.append(path)
    for name, text in texts.items():
        path = folder / f"{name}.txt"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


if __name__ == "__main__":
    for changed_path in write():
        print(changed_path)
