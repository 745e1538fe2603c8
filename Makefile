# Every task of the house. `make` alone lists them. Needs Python 3.11 to 3.13 and make; everything else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
PLAN := out/iowa
CODE := allocator models tests benchmarks

# The first interpreter on this machine that is new enough; `make PYTHON=/path/to/python3.12 demo` overrides it.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c '$(SUITABLE)' >/dev/null 2>&1 && { echo $$p; exit; }; done)

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help install dev demo verify test test-long test-browser test-floor fuzz test-ray test-forecast lint format types contracts bench bench-scale bench-check bench-masters docs picture golden clean

help: ## List the targets.
	@echo 'make demo    plans the demo network;  make test    runs the tests.  All targets:'
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r name text; do \
		printf '  %-13s %s\n' "$$name" "$$text"; done

$(BIN)/python:
	@test -n '$(PYTHON)' || { echo 'error: no Python 3.11, 3.12 or 3.13 found; install one, or name it: make PYTHON=/path/to/python3.12 demo' >&2; exit 1; }
	@echo 'creating $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'error: $(PYTHON) could not make $(VENV); it needs its venv module (on Debian and Ubuntu the package python3-venv)' >&2; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'installing the package and what it needs into $(VENV) (a minute or two the first time)'
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo 'installing the package, what it needs and the development tools into $(VENV)'
	@$(PIP) install --editable '.[dev]'
	@touch $(VENV)/.installed $@

$(VENV)/.installed-bench: pyproject.toml | $(BIN)/python
	@echo 'installing the package, the development tools and the peers of the benchmarks into $(VENV)'
	@$(PIP) install --editable '.[dev,bench]'
	@touch $(VENV)/.installed $(VENV)/.installed-dev $@

install: $(VENV)/.installed ## Create .venv and install the package.

dev: $(VENV)/.installed-dev ## The same with the development tools.

demo: $(VENV)/.installed ## Plan the demo network; print its KPIs and where plan and report lie.
	@echo 'planning scenarios/iowa: 42 items, 40 stores, 14 days (about half a minute)'
	@$(BIN)/allocator plan scenarios/iowa --output $(PLAN) --gap 0.005

verify: $(VENV)/.installed ## Audit the demo plan from its tables alone.
	@test -f $(PLAN)/manifest.json || { echo 'error: no plan in $(PLAN); run make demo first' >&2; exit 1; }
	@$(BIN)/allocator verify $(PLAN)

test: $(VENV)/.installed-dev ## Quick tests (a few minutes), a file at a time on every core.
	@$(BIN)/python -m pytest -m 'not long' -n auto --dist loadfile

test-long: $(VENV)/.installed-dev ## The slow tests.
	@$(BIN)/python -m pytest -m long

test-floor: pyproject.toml ## Quick tests at the lowest versions that pyproject.toml allows, in .venv-floor.
	@test -x .venv-floor/bin/python || $(PYTHON) -m venv .venv-floor
	@sed -n '/^dependencies/,/^]/s/^ *"\([a-z0-9]*\)>=\([0-9.]*\),.*/\1==\2/p' pyproject.toml > .venv-floor/constraints.txt
	@.venv-floor/bin/python -m pip --disable-pip-version-check --quiet install --editable '.[dev]' --constraint .venv-floor/constraints.txt
	@.venv-floor/bin/python -m pytest -m 'not long'

fuzz: $(VENV)/.installed-dev ## Break networks at random for ten minutes; none may end in a traceback.
	@$(BIN)/python -m tests.tables.fuzz_reader --seconds 600

test-browser: $(VENV)/.installed-dev ## Every page in a headless Chromium, and the worked notebook (a minute or two).
	@$(BIN)/python -m pytest $(wildcard tests/*/test_*browser.py) tests/notebook/test_notebook.py

test-ray: $(VENV)/.installed-dev ## Tests on a Ray cluster of two nodes of this machine; installs the extra [ray].
	@$(PIP) install --editable '.[dev,ray]'
	@$(BIN)/python -m pytest tests/priced/test_cluster.py

test-forecast: ## Tests of the forecasts with the library of the extra [forecast], in .venv-forecast.
	@test -x .venv-forecast/bin/python || $(PYTHON) -m venv .venv-forecast
	@.venv-forecast/bin/python -m pip --disable-pip-version-check --quiet install --editable '.[forecast]' 'pytest>=8.3'
	@.venv-forecast/bin/python -m pytest tests/forecast tests/history

lint: $(VENV)/.installed-dev ## ruff: rules and formatting.
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

format: $(VENV)/.installed-dev ## Mend what ruff can mend by itself.
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/ruff format $(CODE)

types: $(VENV)/.installed-dev ## mypy --strict.
	@$(BIN)/mypy

contracts: $(VENV)/.installed-dev ## Who may import whom.
	@$(BIN)/lint-imports

bench: $(VENV)/.installed-bench ## Measure side by side with plain Pyomo, linopy, HiGHS alone (half an hour).
	@mkdir -p out/bench
	@$(BIN)/python -m benchmarks.run --json out/bench/side.json >/dev/null

bench-scale: $(VENV)/.installed-bench ## Measure growth, up to a million item-sites (an hour).
	@mkdir -p out/bench
	@$(BIN)/python -m benchmarks.run --scale --json out/bench/scale.json >/dev/null

bench-check: $(VENV)/.installed-dev ## Compare with an earlier revision: make bench-check BASE=main.
	@test -n '$(BASE)' || { echo 'error: name the revision to compare with: make bench-check BASE=main' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.check '$(BASE)'

bench-masters: $(VENV)/.installed-dev ## Compare the two masters of the priced engine (docs/priced-masters.md).
	@$(BIN)/python -m benchmarks.masters --page

# A page is written beside its place first, so that a generator that fails leaves the old page whole.
PAGES := docs/tables.md=allocator.tables.page docs/kpis.md=allocator.measure docs/audit.md=allocator.audit.page \
	docs/commands.md=allocator.cli.page docs/schema/network.schema.json=allocator.tables.json_schema \
	docs/schema/scenario.schema.json=allocator.scenario.json_schema models/README.md=allocator_models.page

docs: $(VENV)/.installed ## Write the generated pages again.
	@for pair in $(PAGES); do page=$${pair%%=*}; \
		$(BIN)/python -m $${pair#*=} > $$page.new && mv $$page.new $$page || { rm -f $$page.new; exit 1; }; echo $$page; done

picture: $(VENV)/.installed-dev ## Draw the split of docs/push-pull.md again, from a fresh plan over outlooks (some minutes).
	@$(BIN)/python -m benchmarks.split_picture

golden: $(VENV)/.installed-dev ## Write the golden rows of every law again; read the diff before you commit it.
	@$(BIN)/python -m tests.golden.rows

clean: ## Remove .venv, out, caches and build products.
	rm -rf $(VENV) .venv-floor .venv-forecast out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
