# Everything a fresh machine needs: python3 (3.11 or newer), git and make. Bare `make` lists the targets.

PYTHON ?= python3
UV := .tools/bin/uv
# Where the home folder cannot be written, uv works without its cache.
UV_CACHE = $(shell mkdir -p "$${UV_CACHE_DIR:-$${XDG_CACHE_HOME:-$$HOME/.cache}/uv}" 2> /dev/null || echo --no-cache)
BIN := .venv/bin
WORKERS ?= 2
# Measures how long normal requests take, so that nothing else runs beside it.
SLOW_SOCKETS = tests/running/test_slow_sockets.py
COMPILE = $(UV) $(UV_CACHE) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)

.PHONY: help setup demo test check serve bench bench-smoke contract fuzz crash payday papers load slow lock audit clean force
.DELETE_ON_ERROR:

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## /  make \1|/p' $(firstword $(MAKEFILE_LIST)) | \
	while IFS='|' read -r target text; do printf '%-20s %s\n' "  $$target" "$$text"; done

setup: .venv/.project  ## install everything, hash-checked, into .venv; nothing to do when nothing changed

demo: setup  ## close a month of a made-up firm and show its papers
	@$(BIN)/chambers demo

test: setup  ## run every test but the slow ones (make slow), on SQLite and on a private PostgreSQL
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not slow" $(ARGS)

check: setup  ## lint, types, import directions, house rules (TESTED=1: by make test), the checked-in OpenAPI document
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(TESTED),,$(BIN)/python -m pytest tests/house)
	$(BIN)/chambers openapi --check

serve: setup  ## serve the API and its pages on this machine
	@$(BIN)/chambers serve

bench: setup  ## measure against the bare database, in full (minutes)
	@$(BIN)/python -m bench

bench-smoke: setup  ## the same in 20 seconds, as CI runs it
	@$(BIN)/python -m bench --scale smoke

contract: setup  ## hold the API against its description as every role, on both databases (N=1000 by hand)
	@$(BIN)/python -m tests.contract --examples $(or $(N),10) $(ARGS)
fuzz: setup  ## feed each parser made-up input for a minute of CPU (SECONDS=600 by hand)
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),60) $(ARGS)

crash: setup  ## kill the worker at every point, 1,200 schedules (SEED=7 N=1 DB=sqlite, EXHAUSTIVE=1)
	@$(BIN)/python -m tests.crash $(if $(SEED),--seed $(SEED)) $(if $(N),--schedules $(N)) $(if $(DB),--database $(DB)) \
		$(if $(EXHAUSTIVE),--exhaustive) $(ARGS)

payday: setup  ## release a run of 1,000 payouts over the tests' own Stripe with one worker (N=100)
	@$(BIN)/python -m tests.payday payouts $(if $(N),--people $(N))

papers: setup  ## write 10,000 statements as PDF with two processes (N=100)
	@$(BIN)/python -m tests.payday papers $(if $(N),--people $(N))

load: setup  ## reads, lists and posts over HTTP on both databases, beside bare Flask (a minute and a half)
	@$(BIN)/python -m bench.load

slow: setup  ## the rest on PostgreSQL (ONCE=1 without), probes, slow sockets (SECONDS_OF_SOCKETS=60), killed servers
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "slow$(if $(ONCE), and not release)" --ignore=$(SLOW_SOCKETS) \
		tests/api tests/payouts tests/staffing tests/firm tests/examples tests/migrations tests/running tests/crash/test_schedules.py $(ARGS)
	$(if $(ONCE),,@CHAMBERS_SLOW_SECONDS=$(or $(SECONDS_OF_SOCKETS),10) $(BIN)/python -m pytest $(SLOW_SOCKETS))

lock: $(UV)  ## make requirements/*.txt again from pyproject.toml (UPGRADE=1 also takes newer releases)
	$(COMPILE) pyproject.toml --extra postgres -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra postgres --group dev -c requirements/runtime.txt -o requirements/dev.txt
	sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements/uv.txt | $(COMPILE) - -o requirements/uv.txt

audit: setup  ## ask the vulnerability service about the locked packages (needs the network)
	@status=0; \
	report=$$($(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes -r requirements/dev.txt 2>&1) \
		|| status=$$?; \
	printf '%s\n' "$$report"; \
	case "$$report" in \
	*"could not be audited"* | *ConnectionError* | *"Max retries"* | *"Failed to"* | *Traceback*) \
		echo "Nothing is known: the vulnerability service could not be reached for some or all packages." >&2; \
		exit 2 ;; \
	esac; \
	exit $$status

clean:  ## remove what make built (.venv, .tools, caches); never the books in var/
	rm -rf .venv .tools .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# How setup works:
# Two stamps: .venv/.locked (the locked packages are in) and .venv/.project (so is the project). The second one
# holds the folder's path, because a virtual environment that was copied along still points at its old folder.

ifneq ($(wildcard .venv/.project),)
ifneq ($(shell cat .venv/.project),$(CURDIR))
.venv/.locked: force
endif
endif

.venv/.project: .venv/.locked pyproject.toml LICENSE $(wildcard README.md)
	@if test -x $(UV) && $(UV) --version > /dev/null 2>&1; then \
		$(UV) $(UV_CACHE) pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
		$(BIN)/python -m pip install --quiet --no-index --no-deps --no-build-isolation --editable .; \
	fi
	@printf '%s\n' "$(CURDIR)" > $@

.venv/.locked: requirements/dev.txt requirements/uv.txt
	@command -v $(PYTHON) > /dev/null || { echo "Chambers needs Python 3.11 or newer, and $(PYTHON) was not found." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Chambers needs Python 3.11 or newer, and $(PYTHON) is %s.%s: install a newer one and run make PYTHON=python3.12." % sys.version_info[:2])'
	@if test -e .venv/.project && test "$$(cat .venv/.project)" != "$(CURDIR)"; then rm -rf .venv; fi
	@echo "Installing the locked packages into .venv (once; about 10 seconds, a minute without uv) ..."
	@$(MAKE) --no-print-directory --silent $(UV) || echo "uv cannot be installed here; going on with pip." >&2
	@$(with_uv) || { echo "Going on with pip."; $(with_pip); }
	@touch $@

# uv does not read pip's configuration: where only pip knows the way to a package index, or uv has no build for
# the machine, plain pip installs the same hashes.
with_uv = test -x $(UV) && UV_PYTHON_DOWNLOADS=never $(UV) $(UV_CACHE) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" .venv \
	&& $(UV) $(UV_CACHE) pip sync --quiet --python $(BIN)/python --require-hashes --no-build --compile-bytecode requirements/dev.txt
with_pip = { test -x $(BIN)/python && $(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear .venv; } \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
	--require-hashes --only-binary :all: -r requirements/dev.txt

$(UV): requirements/uv.txt
	@rm -rf .tools
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action ignore \
		--require-hashes --only-binary :all: --target .tools -r requirements/uv.txt
	@$(UV) --version > /dev/null && touch $@
