# An Sinh. `make` alone lists what there is. Needs python3 (3.11 or later) and make; `setup` brings the rest.
SHELL := /bin/bash
PYTHON := .venv/bin/python
BIN := .venv/bin
PYTEST := $(PYTHON) -m pytest -q
PIP_COMPILE := $(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-options --strip-extras --allow-unsafe --no-header
.DEFAULT_GOAL := help
.PHONY: help setup demo up test unit integration acceptance faults fuzz lint types lock check clean bench planted

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Prepare .venv, the Kafka jars and PostgreSQL (only what is missing or changed)
	@python3 -m deploy.local.setup

demo: setup ## Pay a synthetic district end to end on real Kafka and PostgreSQL
	@$(PYTHON) -m ansinh demo

up: setup ## Start everything and keep it running until Ctrl-C
	@$(PYTHON) -m ansinh up

WORKERS := 3
test: setup check ## Check style, types and layers, then run every test; WORKERS=n at the same time, a file each
	@$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder

unit: setup ## Run the pure tests (fast, no network)
	@$(PYTEST) tests/unit

integration: setup ## Run the tests on real Kafka and PostgreSQL
	@$(PYTEST) tests/integration

acceptance: setup ## Run the stories, end to end
	@$(PYTEST) tests/acceptance

BENCH := full
bench: setup ## Measure everything into docs/benchmarks.md (an hour); BENCH=quick takes a minute
	@$(PYTHON) -m tests.bench all --size $(BENCH)

planted: setup ## Plant bugs in copies of the tree: red unless each is caught; ONLY="name ..." for some
	@$(PYTHON) -m tests.planted $(ONLY)

faults: setup ## Hurt a running installation in every way of the table, then at random; ONLY=scenario SEED=n does one again
	@$(PYTHON) -m tests.faults $(if $(ONLY),--scenario $(ONLY)) $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
		--profile $(or $(PROFILE),one)

FUZZ_SECONDS := 30
fuzz: setup ## Throw changed bytes at every reader of files and events, FUZZ_SECONDS=n each; ONLY="name ..." for some
	@$(BIN)/pip install -q --require-hashes --no-deps -r requirements-fuzz.lock
	@$(PYTHON) -m tests.fuzz $(ONLY) --seconds $(FUZZ_SECONDS)

lint: setup ## Check style, format and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: setup ## Check types strictly
	@$(BIN)/mypy

check: lint types ## Check style, format, layers and types without running a test

lock: setup ## Pin the requirements again, with hashes
	$(PIP_COMPILE) -o requirements.lock requirements.in
	$(PIP_COMPILE) -o requirements-dev.lock requirements-dev.in
	$(PIP_COMPILE) -o requirements-local.lock requirements-local.in
	$(PIP_COMPILE) -o requirements-fuzz.lock requirements-fuzz.in

clean: ## Delete the data and logs of runs; .venv and the Kafka jars stay
	@test ! -x $(PYTHON) || $(PYTHON) -m deploy.local.clean
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
