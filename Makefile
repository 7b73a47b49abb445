# The commands people type; `make help` lists them. Each installs what it needs, and no more, the first time.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
# A machine may have several Pythons; the first one that serves is taken. PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.10 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
DENO = DENO_DIR=$(CURDIR)/.local/deno DENO_NO_UPDATE_CHECK=1 $(BIN)/deno
TYPESCRIPT := --config supabase/functions/deno.json supabase/functions export tests/supabase
# What `make train ARGS="--epochs 5"` hands on.
ARGS ?=

.PHONY: help train evaluate export-tfjs tune bench-quality test lint format lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | column -t -s '|'

train: $(VENV)/.base ## Train on the database (the demo catalogue if it has no likes), evaluate, write the report
	$(BIN)/tfrs-pipeline import demo --if-empty
	$(BIN)/tfrs-pipeline train $(ARGS)

evaluate: $(VENV)/.base ## Measure the newest run again and write its report
	$(BIN)/tfrs-pipeline evaluate $(ARGS)

export-tfjs: $(VENV)/.export ## Turn the newest run into a TF.js bundle and prove it in Deno
	$(BIN)/tfrs-pipeline export-tfjs $(ARGS)

tune: $(VENV)/.tune ## Search for better settings on the validation likes
	$(BIN)/tfrs-pipeline import demo --if-empty
	$(BIN)/tfrs-pipeline tune $(ARGS)

bench-quality: $(VENV)/.peers ## Compare ours with other recommenders on the database's likes, each tuned alike
	$(BIN)/tfrs-pipeline import demo --if-empty
	$(BIN)/tfrs-pipeline snapshot --output .local/quality/snapshot
	$(BIN)/python benchmarks/bench_quality.py .local/quality/snapshot --output .local/quality $(ARGS)

test: $(VENV)/.dev ## Run the tests
	$(BIN)/pytest $(ARGS)

lint: $(VENV)/.dev ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(DENO) fmt --check $(TYPESCRIPT)
	$(DENO) lint $(TYPESCRIPT)
	$(DENO) check $(TYPESCRIPT)

format: $(VENV)/.dev ## Bring the code into its form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(DENO) fmt $(TYPESCRIPT)

lock: $(VENV)/.base ## Pin the newest versions that setup.cfg allows
	requirements/lock.sh

clean: ## Remove the environment, the embedded database and all runs
	-[ -x $(BIN)/tfrs-pipeline ] && $(BIN)/tfrs-pipeline db stop --quiet
	rm -rf $(VENV) .local runs *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# Each stage is a file of pinned versions; its stamp says that this file is what is installed.
$(VENV)/bin/uv:
	@[ -n "$(PYTHON)" ] || { echo "Error: no Python 3.10, 3.11 or 3.12 with venv was found (on Debian: apt install python3 python3-venv)." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.%: requirements/%.txt setup.cfg | $(VENV)/bin/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r $<
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
