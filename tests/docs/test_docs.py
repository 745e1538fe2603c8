"""The written pages are current, their links lead somewhere, and what they show works."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import allocator
from allocator.audit.page import rules_page
from allocator.cli import COMMANDS, EPILOG
from allocator.cli.page import EXIT_CODES, command_page
from allocator.measure import kpi_page
from allocator.scenario.json_schema import scenario_file
from allocator.tables.json_schema import settings_file
from allocator.tables.page import schema_page
from allocator_models import words
from allocator_models.block import LAWS, USES
from allocator_models.page import dual, law_page, shared_laws

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = sorted(
    path for place in (".", "docs", "models", "scenarios/*", "tests/published") for path in ROOT.glob(f"{place}/*.md")
)
GENERATED: dict[str, Callable[[], str]] = {
    "docs/tables.md": schema_page,
    "docs/kpis.md": kpi_page,
    "docs/audit.md": rules_page,
    "docs/commands.md": command_page,
    "models/README.md": law_page,
    "docs/schema/network.schema.json": settings_file,
    "docs/schema/scenario.schema.json": scenario_file,
}


@pytest.mark.parametrize("page", GENERATED)
def test_generated_page_is_current(page: str) -> None:
    """The page on disk is what its source says now; `make docs` writes it again."""
    stands, made = (ROOT / page).read_text(encoding="utf-8"), GENERATED[page]()
    if page.endswith(".json"):  # pydantic up to 2.10 writes 1.0 where later ones write 1
        assert json.loads(stands) == json.loads(made), "run: make docs"
    else:
        assert stands == made, "run: make docs"
    assert f"{page}=" in MAKEFILE, "make docs must write this page too"


def test_every_law_has_its_heading() -> None:
    """A newcomer finds each law of the block and of what items share under a heading of its own."""
    headings = re.findall(r"^#### (.+)$", law_page(), re.M)
    assert sorted(headings) == sorted([*LAWS, *(f"shared {name}" for name in shared_laws())])


def test_every_law_says_where_it_holds_and_what_its_dual_means() -> None:
    """Index words exist for exactly the laws there are, and every row's price has a meaning."""
    assert words.WHERE.keys() == LAWS.keys()
    assert words.SHARED_WHERE.keys() == shared_laws().keys()
    rows = {name: law.function for name, law in LAWS.items() if name not in USES}
    rows |= {f"shared {name}": law for name, law in shared_laws().items()}
    assert [name for name, law in rows.items() if not dual(name, law)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link and picture of a page exists."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8"))
    near = [target for target in targets if "://" not in target]
    assert [target for target in near if not (path.parent / target).exists()] == []


def test_readme_stays_short() -> None:
    """README is under 200 lines and its picture under 300 KB."""
    assert len(README.splitlines()) < 200
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    assert all((ROOT / picture).stat().st_size < 300_000 for picture in pictures)


def test_readme_example_can_be_planned(tmp_path: Path) -> None:
    """The network shown in README reads without a finding and its plan is proven and audited."""
    shown = re.search(r"<!-- example:.*?```\n(.*?)```", README, re.S)
    assert shown
    for name, text in re.findall(r"^# (\S+)\n((?:(?!# ).*\n)+)", shown[1], re.M):
        (tmp_path / name).write_text(text, encoding="utf-8")
    plan = allocator.solve(allocator.read(tmp_path))
    assert plan.exit_code == 0
    assert plan.audit is not None
    assert plan.audit.ok
    assert set(plan.shipments["item"]) == {"00123"}
    assert plan.shipments["committed"].any()


def test_readme_names_every_command_and_exit_code() -> None:
    """README, the commands page and `allocator --help` list the same commands and exit codes."""
    assert set(re.findall(r"^\| `allocator (\w+)[ `]", README, re.M)) == COMMANDS.keys()
    assert {int(code) for code in re.findall(r"(?:^|\s{2,})(\d+)  \S", EPILOG)} == EXIT_CODES.keys()
    line = re.search(r"Exit codes: (.+?)\n\n", README, re.S)
    assert line
    assert {int(code) for code in re.findall(r"(?:^|, |\n)(\d+) ", line[1])} == EXIT_CODES.keys()


def test_readme_tables_of_the_plan_are_all_there() -> None:
    """The list of what comes out names every table of a plan."""
    from allocator.plan.assemble import TABLES

    listed = set(re.findall(r"`(\w+)`", README[README.index("## What comes out") : README.index("## How to read")]))
    assert set(TABLES) <= listed


def test_make_help_lists_every_target() -> None:
    """Each phony target has a line of help, and neither make nor CI names a registry or a place on one machine."""
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    assert phony
    helped = set(re.findall(r"^([a-z][a-z-]*):[^#\n]*## ", MAKEFILE, re.M))
    assert set(phony[1].split()) == helped
    for text in (MAKEFILE, (ROOT / ".ci" / "run").read_text(encoding="utf-8")):
        assert not re.search(r"://|/home/|/work/|/root/|index-url", text)
