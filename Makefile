# TerraFusion. On a fresh machine: make demo, then make test.
PYTHON ?= python3
VENV ?= .venv
PARCELS ?= 20000
RUN = $(VENV)/bin/
DEMO = demo_wa
SIDE_BY_SIDE = -n 2 --dist loadfile --no-loadscope-reorder
export TERRAFUSION_ROOT ?= $(CURDIR)
export PLOOMBER_STATS_ENABLED = false

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint bench lab hub dashboard notebooks lock env env-test system clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

$(VENV)/.stamp-run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "TerraFusion needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(RUN)python -m pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(RUN)python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-run requirements-test.lock
	$(RUN)python -m pip install --quiet --no-deps --require-hashes -r requirements-test.lock
	@touch $@

env: $(VENV)/.stamp-run ## the environment, nothing else
env-test: $(VENV)/.stamp-test

system: ## what the tests need of the system: PostgreSQL with PostGIS, unixODBC, FreeTDS, Chromium
	@deploy/install-system-packages.sh

demo: env ## generate a demo county and run the whole job (PARCELS=80000 is all of Benton)
	@$(RUN)terrafusion demo run --parcels $(PARCELS)

test: env-test system ## the whole suite, two files side by side
	$(RUN)python -m pytest $(SIDE_BY_SIDE)

test-fast: env-test ## what needs no service, browser, notebook or whole run: a minute
	$(RUN)python -m pytest $(SIDE_BY_SIDE) -m "not slow" tests/unit tests/contract tests/property

lint: env-test ## ruff, mypy strict, import contracts
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports --no-cache

bench: env-test ## every figure that the README quotes
	@for script in benchmarks/*.py; do echo "== $$script"; $(RUN)python $$script || exit 1; done

lab: env ## JupyterLab on the notebooks
	@$(RUN)terrafusion lab

hub: env ## JupyterHub with the counties' users, and the dashboard as a service
	@$(RUN)terrafusion hub

dashboard: env ## the dashboard alone, on this machine only
	@$(RUN)terrafusion dashboard

notebooks: env-test ## run every notebook on the small demo county and keep its outputs
	@$(RUN)terrafusion notebooks refresh

lock: ## pin every dependency anew (needs uv on the path)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --custom-compile-command "make lock" -o requirements.lock pyproject.toml
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --custom-compile-command "make lock" --extra test --extra microsoft-odbc -c requirements.lock -o requirements-test.lock pyproject.toml

clean: ## remove the environment and all derived data
	rm -rf $(VENV) data build dist *.egg-info
