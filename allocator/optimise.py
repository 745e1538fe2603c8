"""Which engine plans a network, and what it proves: whole, priced, and the rules engine where neither has a plan."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from allocator.engine.hedge import Hedge, worse_status
from allocator.engine.outlooks import Hedged, solve_outlooks
from allocator.engine.problem import Limits, SolverError, relative_gap
from allocator.engine.process import Solver
from allocator.engine.quantities import Quantities, read_quantities
from allocator.engine.start import Start, read_start, write_start
from allocator.engine.whole import NoPlanError, Solution, solve_whole
from allocator.memory import MemoryLimitError, held, told
from allocator.network import Network
from allocator.options import Clock, Options, Watch
from allocator.plan.assemble import Draft, draft_plan
from allocator.plan.tight import whole_marginals
from allocator.priced.local import Hands
from allocator.priced.room import whole_fits
from allocator.program.stack import Program, build_program

EXACT_GAP = 1e-6
"""Gap to prove when nothing else is asked."""
ACCEPTED_GAP = 5e-3
"""Gap that is good enough once the work below is spent and no gap was asked; and that of the priced engine."""
NODE_WORK = 1e7
"""Branch-and-bound nodes x rows after which the accepted gap is good enough: small programs are always proven exactly."""
POLISH_COLUMNS = 60_000
"""Largest program, by its expected columns, whose plan from prices is settled whole where prices leave too wide a gap."""
WHOLE_COLUMNS = 250_000
"""Largest program, by its expected columns, that ``auto`` solves whole."""


NOTHING_YET = "the solver had a plan: this is the rules engine's plan"


@dataclass(frozen=True)
class Proof:
    """What is proven of a plan, how, and what it took."""

    bound: float | None
    status: str
    engine: str
    proof: str
    nodes: int = 0
    iterations: int = 0
    solver_seconds: float = 0.0
    shape: tuple[int, int, int] = (0, 0, 0)
    prices: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Baseline:
    """The rules engine's plan: what it comes to, and how to draft it again (its tables are not kept beside another plan's)."""

    objective: float
    draft: Callable[[], Draft]


Outcome = tuple[Draft, Proof, list[str]]


def chosen(network: Network, engine: str, memory: int | None = None) -> str:
    """The engine that ``auto`` stands for: whole while HiGHS can be expected to prove a gap, within the memory there is; else priced.

    Raises
    ------
    MemoryLimitError
        When the whole engine is asked for and ``memory`` [bytes] has no room for its program.
    """
    if engine in ("rules", "priced"):
        return engine
    columns = expected_columns(network)
    fits = memory is None or whole_fits(columns, memory, held())
    if engine == "whole" and not fits:
        raise MemoryLimitError(
            f"a limit of {told(memory or 0)} can't be kept by the whole engine: its program has about {columns:,} columns; "
            "give it more, or take --engine priced"
        )
    if engine != "auto":
        return engine
    return "whole" if fits and columns <= WHOLE_COLUMNS else "priced"


def hands(network: Network, options: Options) -> Hands:
    """Workers of the priced engine, started while the plan of the rules of thumb is made; none where they will not be needed or memory is counted."""
    local = options.memory is None and options.cluster is None
    return Hands(options.hands if local and chosen(network, options.engine) == "priced" else 0)


def expected_columns(network: Network) -> int:
    """About how many columns the whole program has, from the pairs of items with demand and lanes alone."""
    claims = max(len(network.claims.channel), 1)
    asked = len(np.unique(network.demand.item * np.int64(claims) + network.demand.claim))
    departing = (network.lanes.arrival >= 0).sum(axis=1)
    lanes = float((network.lanes.open @ departing.astype(float)).sum()) if len(departing) else 0.0
    # lanes that nothing of the item can reach, or need not, make no columns: about half of the rest
    return int(network.outlooks.count * (3 * asked * network.calendar.buckets + 0.5 * lanes))


def optimise(
    network: Network,
    options: Options,
    clock: Clock,
    plan_id: str,
    baseline: Baseline,
    presolve: bool,
    ready: Hands,
) -> Outcome:
    """A plan by the engine that is asked for, the rules engine's where it has nothing better.

    Where the watch says so, a KeyboardInterrupt ends the engine, not the run: what it had by then is the plan, and ``clock.interrupted``.
    """
    engine = chosen(network, options.engine, options.memory)
    if time.monotonic() >= clock.until:  # reading took it all: no program is built any more
        note = f"the deadline came while reading, before {NOTHING_YET}"
        return _rules(baseline, Proof(None, "deadline", "rules", "none"), note)
    try:
        if engine == "priced":
            return _priced(network, options, clock, plan_id, baseline, ready)
        return _whole(network, options, clock, plan_id, baseline, presolve)
    except KeyboardInterrupt:
        if not clock.watch.yields:
            raise
        clock.interrupted = True
        return _rules(baseline, Proof(None, "interrupted", "rules", "none"), f"interrupted before {NOTHING_YET}")


def _rules(baseline: Baseline, proof: Proof, note: str) -> Outcome:
    return baseline.draft(), replace(proof, engine="rules"), [note]


def _whole(
    network: Network, options: Options, clock: Clock, plan_id: str, baseline: Baseline, presolve: bool
) -> Outcome:
    with Solver(clock.watch.yields, presolve) as solver:
        clock.stage("program")
        program = build_program(network)
        limits = _limits(options, program, clock.left())
        hedged: Hedged | None = None
        hint = _start(options).hint(network, program)
        try:
            if network.outlooks.count > 1:
                hedged = solve_outlooks(network, program, solver, limits, clock.watch.progress, clock.stage, hint)
                solution = hedged.mean_solution
            else:
                solution = solve_whole(network, program, solver, limits, clock.watch.progress, clock.stage, hint)
        except NoPlanError as late:
            note = f"{'interrupted' if solver.interrupted else 'the deadline came'} before {NOTHING_YET}"
            return _rules(baseline, Proof(late.bound, "deadline", "rules", "branch and bound"), note)
        except SolverError as error:
            note = f"the solver failed ({error}): this is the rules engine's plan"
            return _rules(baseline, Proof(None, "degraded", "rules", "none"), note)
        finally:
            clock.interrupted |= solver.interrupted
        seconds, iterations = solver.seconds, solver.iterations
    if options.leave is not None:
        solved = solution if hedged is None else hedged.solution
        write_start(Start.of(network, program, solved.x, solved.basis), options.leave)
    clock.stage("lots")
    draft = _draft(network, program, solution, plan_id) if hedged is None else _hedged_draft(hedged, plan_id)
    proof = Proof(
        solution.bound,
        solution.status if hedged is None else hedged.status,
        "whole",
        solution.proof,
        solution.nodes,
        iterations,
        seconds,
        program.shape,
        facts={} if hint is None else {"started": True},
    )
    if baseline.objective < draft.objective and solution.status == "deadline":
        note = (
            "the solver's plan was worse than the rules engine's when its time was up: this is the rules engine's plan"
        )
        return _rules(baseline, Proof(solution.bound, "deadline", "rules", solution.proof), note)
    return draft, proof, []


def _start(options: Options) -> Start:
    """What a like network's run left; nothing where there is none."""
    return (options.start and read_start(options.start)) or Start()


def _draft(network: Network, program: Program, solution: Solution, plan_id: str) -> Draft:
    quantities: Quantities = read_quantities(network, program, solution.x)
    return draft_plan(network, quantities, plan_id, program.prices, whole_marginals(network, program, solution))


def _hedged_draft(hedged: Hedged, plan_id: str) -> Draft:
    network, program, solution = hedged.mean_network, hedged.mean_program, hedged.mean_solution
    quantities = read_quantities(network, program, solution.x)
    marginals = whole_marginals(network, program, solution, over=(hedged.program, hedged.solution))
    return draft_plan(network, quantities, plan_id, program.prices, marginals, hedged.hedge)


def _limits(options: Options, program: Program, left: float) -> Limits:
    if options.gap is not None:
        return Limits(gap=options.gap, accept=options.gap, nodes=0, seconds=left)
    rows = max(program.shape[0], 1)
    return Limits(gap=EXACT_GAP, accept=ACCEPTED_GAP, nodes=int(NODE_WORK / rows), seconds=left)


def _priced(
    network: Network, options: Options, clock: Clock, plan_id: str, baseline: Baseline, ready: Hands
) -> Outcome:
    from allocator.network.prices import build_prices
    from allocator.priced.engine import Setting, solve_priced
    from allocator.priced.outlooks import solve_priced_outlooks

    notes: list[str] = []
    hedge: Hedge | None = None
    setting = Setting(
        gap=ACCEPTED_GAP if options.gap is None else options.gap,
        until=clock.until,
        workers=options.hands,
        cluster=options.cluster,
        checkpoint=options.checkpoint,
        resume=options.resume,
        plan_id=plan_id,
        shared=options.shared,
        start=_start(options).prices,
        memory=options.memory,
        hands=ready,
    )
    try:
        watch = Watch(clock.stage, event=clock.watch.event)
        if network.outlooks.count > 1:
            found, network, hedge = solve_priced_outlooks(network, setting, watch)
        else:
            found = solve_priced(network, setting, watch)
    except SolverError as error:
        note = f"the solver failed ({error}): this is the rules engine's plan"
        return _rules(baseline, Proof(None, "degraded", "rules", "none"), note)
    if options.leave is not None and found.proof:
        write_start(Start(prices=dict(zip(found.proof["names"], found.proof["prices"], strict=True))), options.leave)
    bound = found.bound if math.isfinite(found.bound) else None
    spent = found.spent
    proof = Proof(
        bound,
        found.status if hedge is None else worse_status(hedge.status, found.status),
        "priced",
        "weak duality",
        iterations=spent.iterations,
        solver_seconds=spent.highs,
        prices=found.proof,
        facts={
            "rounds": found.rounds,
            "workers_cpu_seconds": round(spent.cpu, 3),
            "runs": spent.runs,
            "lost_workers": spent.lost,
            "log": found.log,
        },
    )
    if found.quantities is None:
        note = "the deadline came before every item had a whole plan: this is the rules engine's plan"
        draft, proof, more = _rules(baseline, replace(proof, status="deadline"), note)
        return draft, proof, notes + more
    best = min(found.cost, baseline.objective)
    columns = expected_columns(network)
    small = columns <= POLISH_COLUMNS and (options.memory is None or whole_fits(columns, options.memory, held()))
    if hedge is None and small and relative_gap(best, found.bound) > setting.gap:
        polished = _polished(network, options, clock, plan_id, baseline, proof, best)
        if polished is not None:
            return polished
    if baseline.objective < found.cost and hedge is None:
        note = "the rules engine's plan was better than the one from prices: this is the rules engine's plan"
        status = (
            "optimal" if bound is not None and relative_gap(baseline.objective, bound) <= setting.gap else found.status
        )
        draft, proof, more = _rules(baseline, replace(proof, status=status), note)
        return draft, proof, notes + more
    clock.stage("lots")
    draft = draft_plan(network, found.quantities, plan_id, build_prices(network), found.marginals, hedge)
    return draft, proof, notes


def _polished(
    network: Network, options: Options, clock: Clock, plan_id: str, baseline: Baseline, priced: Proof, cost: float
) -> Outcome | None:
    """All items of a small network as one program, where few items make prices coarse; None when that is no better."""
    draft, whole, notes = _whole(network, options, clock, plan_id, baseline, True)
    if whole.engine != "whole" or draft.objective > cost or whole.bound is None or priced.bound is None:
        return None
    facts = priced.facts | {"polished": True}
    seconds = priced.solver_seconds + whole.solver_seconds
    if whole.bound > priced.bound:
        return draft, replace(whole, engine="priced", solver_seconds=seconds, facts=facts), notes
    return draft, replace(priced, status=whole.status, solver_seconds=seconds, facts=facts), notes
