# The ways in. `make` alone lists them.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
SHELL := /bin/bash
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro test check conformance fmt deps lock size clean

help:   ## list what make can do
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

.venv/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "homoplasy needs Python 3.11 or newer; found $$($(PYTHON) --version). Try: make PYTHON=python3.11 …"; exit 2; }
	@echo "Installing into .venv (once; some minutes) …"
	@$(PYTHON) -m venv .venv \
	  || { echo "Python cannot make a virtual environment here; on Debian: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet -c requirements.lock -e ".[dev]"
	@touch $@

repro: .venv/.installed ## regenerate the study from raw data to report (the pocket world unless params.yaml says otherwise)
	@dvc repro
	@echo
	@echo "The report is at file://$(CURDIR)/reports/index.html"

check: .venv/.installed ## format, lint, types, import contracts: seconds
	@ruff format --check --quiet . || { echo "Not formatted: run make fmt"; exit 1; }
	@ruff check --quiet .
	@mypy
	@lint-imports --no-logo 2>/dev/null || lint-imports

test: check ## check, then every test
	@OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder # one thread each: two that wait for each other are slower

conformance: .venv/.installed ## a network of every family of timm, layer by layer: some minutes
	@OMP_NUM_THREADS=1 pytest -n 2 -m "conformance or not conformance" tests/models/test_conformance.py

fmt: .venv/.installed ## format the code
	@ruff format .
	@ruff check --fix --quiet .

deps: .venv/.installed ## write the import closure of every stage into dvc.yaml
	@python -m tests.architecture.closure

size: .venv/.installed ## lines a module and a function
	@python -m tests.architecture.size

lock: ## pin every package again (needs uv)
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS uv pip compile pyproject.toml --universal --all-extras --no-header \
	  --no-annotate --no-emit-index-url --quiet -o .full.txt
	grep -vE '^(nvidia|cuda|triton)' .full.txt > requirements.lock
	rm .full.txt

clean: ## remove what the pipeline made here, its cache and its store
	rm -rf data/raw data/brain data/features data/scores data/tables models reports .store .dvc/cache .dvc/tmp
