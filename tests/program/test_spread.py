"""Programs over several outlooks: the mean is one of them, and what must hold between them does."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocator.engine.export import write_mps
from allocator.engine.hedge import given
from allocator.engine.outlooks import outlook_values, read_decided
from allocator.engine.problem import Limits
from allocator.engine.process import Solver
from allocator.engine.whole import as_problem
from allocator.network import Network, build_network
from allocator.network.network import Decided
from allocator.program.classes import build_classes
from allocator.program.outlooks import SHARED, spread
from allocator.program.stack import Program, build_program
from allocator.program.stamp import VARIABLE_NAMES
from allocator.program.structure import build_structure
from allocator.program.template import compile_block
from allocator.tables import read_tables
from allocator_models.outlooks import DECIDED
from tests.program.networks import CASES, write_case

EXACT = Limits(gap=1e-9, accept=1e-9)


@pytest.fixture(scope="module")
def solver() -> Any:
    """One HiGHS process for all cases."""
    with Solver() as process:
        yield process


def _network(folder: Path, case: str = "plain", **options: Any) -> Network:
    return build_network(read_tables(write_case(case, folder, **options)))


def _optimum(network: Network, solver: Solver) -> float:
    return solver.solve(as_problem(build_program(network)), EXACT).objective


@pytest.mark.parametrize("case", CASES)
def test_outlooks_that_are_all_the_mean_cost_what_the_mean_costs(case: str, tmp_path: Path, solver: Solver) -> None:
    """Forecasts without spread make every outlook the mean: one formulation, one optimum."""
    single = _network(tmp_path / "one", case)
    several = _network(tmp_path / "three", case, outlooks=3, spread=False)
    assert _optimum(several, solver) == pytest.approx(_optimum(single, solver), rel=1e-8, abs=1e-7)


def test_a_single_outlook_is_the_template_itself(tmp_path: Path) -> None:
    """With one outlook nothing is copied, and no row or column of rare demand is there."""
    network = _network(tmp_path)
    template = compile_block(build_structure(network, 1))
    assert spread(template) is template
    assert template.outlook is None
    program = build_program(network)
    assert (program.columns.outlook == 0).all()
    assert not (program.columns.variable == VARIABLE_NAMES.index("uncovered")).any()


def test_decided_columns_stand_once(tmp_path: Path) -> None:
    """Shipments of the commit window and what counts them stand once, all else once for each outlook."""
    network = _network(tmp_path, "packs", outlooks=3)
    program = build_program(network)
    columns, shared = program.columns, program.columns.outlook == SHARED
    structure = build_structure(network, 1)
    for number, name in enumerate(VARIABLE_NAMES):
        mine = columns.variable == number
        told = np.array([DECIDED[name](structure, (0, int(t))) for t in columns.bucket[mine]], dtype=bool)
        assert np.array_equal(shared[mine], told)
    assert set(np.unique(columns.outlook)) == {SHARED, 0, 1, 2}


def test_each_outlook_costs_its_part(tmp_path: Path, solver: Solver) -> None:
    """The mean over the outlooks' own costs is the expected objective."""
    program = build_program(_network(tmp_path, outlooks=4))
    answer = solver.solve(as_problem(program), EXACT)
    assert answer.x is not None
    values = outlook_values(program, answer.x)
    assert len(values) == 4
    assert values.mean() == pytest.approx(answer.objective)
    assert np.ptp(values) > 0


def test_hedging_beats_the_plan_on_the_mean(tmp_path: Path, solver: Solver) -> None:
    """Over the outlooks, the mean's committed shipments can't cost less than the ones decided over the outlooks."""
    network = _network(tmp_path, outlooks=5)
    mean = build_program(replace(network, outlooks=replace(network.outlooks, count=1)))
    point = solver.solve(as_problem(mean), EXACT).x
    assert point is not None
    decided = _committed(network, mean, point)
    hedged, stuck = _optimum(network, solver), _optimum(replace(network, decided=decided), solver)
    assert hedged <= stuck + 1e-7
    assert stuck - hedged > 1e-3, "the case is there to show a difference"


def test_given_shipments_cost_no_less_than_free_ones(tmp_path: Path, solver: Solver) -> None:
    """On the mean demand, the decided commit window is feasible and can't beat the mean's own plan."""
    network = _network(tmp_path, outlooks=3)
    program = build_program(network)
    point = solver.solve(as_problem(program), EXACT).x
    assert point is not None
    stuck = given(network, read_decided(program, point))
    free = replace(stuck, decided=None)
    assert _optimum(stuck, solver) >= _optimum(free, solver) - 1e-7


def test_more_stock_never_costs_more(tmp_path: Path, solver: Solver) -> None:
    """Storage costs nothing to speak of, so ten more units upstream, held at a holding rate of 0, never raise the expected cost."""

    def free_holding(files: dict[str, str]) -> None:
        files["sites.csv"] = files["sites.csv"].replace("DC,dc,0.2", "DC,dc,0")

    def more(files: dict[str, str]) -> None:
        free_holding(files)
        files["lots.csv"] = files["lots.csv"].replace("B1,bolt,DC,26", "B1,bolt,DC,36")

    some, plenty = (
        _optimum(_network(tmp_path / name, outlooks=4, change=change), solver)
        for name, change in (("some", free_holding), ("plenty", more))
    )
    assert plenty <= some + 1e-7


def test_shuffled_rows_give_the_same_program(tmp_path: Path) -> None:
    """Forecast rows in another order stamp the same arrays, to the bit."""

    def turned(files: dict[str, str]) -> None:
        head, *rows = files["forecasts.csv"].splitlines()
        files["forecasts.csv"] = "\n".join([head, *reversed(rows)]) + "\n"

    folder = write_case("plain", tmp_path / "one", outlooks=3)
    again = write_case("plain", tmp_path / "two", outlooks=3)
    files = {"forecasts.csv": (again / "forecasts.csv").read_text()}
    turned(files)
    (again / "forecasts.csv").write_text(files["forecasts.csv"])
    one, two = (build_program(build_network(read_tables(path))) for path in (folder, again))
    for name in ("cost", "lower", "upper", "values", "indices", "row_lower", "row_upper"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_a_part_of_the_items_is_stamped_alike(tmp_path: Path) -> None:
    """Shards of items draw and stamp what the whole network draws and stamps."""
    from allocator.network.prices import build_prices
    from allocator.program.data import build_items

    network = _network(tmp_path, outlooks=3)
    classes, prices = build_classes(network), build_prices(network)
    for size, items in classes.groups.items():
        structure = build_structure(network, size)
        whole = build_items(network, structure, classes, prices, items)
        for row in range(len(items)):
            alone = build_items(network, structure, classes, prices, items[row : row + 1])
            for pick in (lambda d: d.data, lambda d: d.lower, lambda d: d.upper):
                _same(pick(whole), pick(alone), row)


def _same(whole: dict[str, Any], alone: dict[str, Any], row: int) -> None:
    for name, values in alone.items():
        assert np.array_equal(values[0], whole[name][row]), name


def _committed(network: Network, program: Program, x: np.ndarray) -> Decided:
    columns = program.columns
    now = (columns.variable == VARIABLE_NAMES.index("ship")) & (columns.bucket < network.calendar.committed)
    mine = np.flatnonzero(now & (x[: len(now)] > 1e-9))
    table = program.classes.expiry
    expiry = np.array([table[i][c] for i, c in zip(columns.item[mine], columns.cls[mine], strict=True)])
    return Decided(columns.item[mine], columns.first[mine], columns.bucket[mine], expiry, x[mine])


def test_exported_names_tell_outlooks_apart(tmp_path: Path) -> None:
    """In the MPS file of a program over several outlooks no row or column name stands for two."""
    network = _network(tmp_path, outlooks=3)
    program = build_program(network)
    path = tmp_path / "model.mps"
    write_mps(network, program, path)
    text = path.read_text()
    rows = [line.split()[1] for line in text[text.index("ROWS") : text.index("COLUMNS")].splitlines()[1:]]
    columns = [line.split()[2] for line in text[text.index("BOUNDS") : text.index("ENDATA")].splitlines()[1:]]
    assert len(set(rows)) == len(rows) == len(program.row_lower) + 1
    assert len(set(columns)) == len(program.cost)
