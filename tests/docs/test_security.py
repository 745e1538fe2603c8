"""What SECURITY.md promises of the code is read from the code: nothing unpickles, evaluates or shells out on input."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from allocator.cli.doctor import NEEDED, numbers

ROOT = Path(__file__).parents[2]
MODULES = sorted([*(ROOT / "allocator").rglob("*.py"), *(ROOT / "models").rglob("*.py")])
IMPORTS = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "shelve",
    "marshal",
    "yaml",
    "sqlalchemy",
    "xml",
    "lxml",
}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "read_pickle",
    "to_pickle",
    "read_html",
    "system",
    "popen",
    "query",
    "unsafe_load",
}
TRUE_KEYWORDS = {"shell", "allow_pickle"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def broken(tree: ast.AST) -> Iterator[str]:
    """Yield what a module does that input must never reach."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in IMPORTS)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in IMPORTS:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    module = getattr(getattr(node.func, "value", None), "id", "")
    if name in CALLS and module != "re":
        yield f"{module}.{name}()"
    for word in node.keywords:
        if word.arg in TRUE_KEYWORDS and getattr(word.value, "value", True) is not False:
            yield f"{name}({word.arg}=...)"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_input(path: Path) -> None:
    """No pickle, YAML, XML, eval, query string or shell in any module that ships."""
    assert list(broken(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("text", ["import pickle", "from yaml import load", "eval(x)", "pd.read_pickle(f)", "np.load(f, allow_pickle=True)",
                                  "subprocess.run(c, shell=True)", "frame.query(text)", "os.system(c)"])  # fmt: skip
def test_the_scan_finds_what_it_looks_for(text: str) -> None:
    """Each thing that is forbidden is found where it stands."""
    assert len(list(broken(ast.parse(text)))) == 1


def requirements() -> list[str]:
    """Every dependency, those of extras too."""
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    return [line for line in [*PROJECT["dependencies"], *extras] if not line.startswith(PROJECT["name"])]


@pytest.mark.parametrize("line", requirements())
def test_dependencies_have_both_bounds(line: str) -> None:
    """A dependency states the lowest version that was tried and the first that is too new."""
    assert re.fullmatch(r"[a-z0-9\[\],_.-]+>=[0-9.]+,<[0-9.]+", line), line


def test_doctor_knows_the_same_bounds() -> None:
    """`allocator doctor` asks for the versions that pyproject.toml states."""
    stated = {"python": PROJECT["requires-python"]}
    stated |= dict(re.fullmatch(r"([a-z0-9]+)(.*)", line).groups() for line in PROJECT["dependencies"])
    bounds = {name: tuple(numbers(part) for part in re.findall(r"[0-9.]+", text)) for name, text in stated.items()}
    assert bounds == NEEDED
