# The ways in. `make` alone lists them.
PYTHON ?= python3
BIN := $(CURDIR)/.venv/bin
SHELL := /bin/bash
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help repro certify multiverse table test check conformance acceptance hostile kills replay fmt deps docs lock size clean

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

certify: .venv/.installed ## how often each claim is announced where it is false: minutes a world; SEEDS=100 over night
	@OMP_NUM_THREADS=1 HOMOPLASY_EXECUTOR=$${HOMOPLASY_EXECUTOR:-local} \
	  $(if $(SEEDS),dvc exp run -S certify.seeds=$(SEEDS),dvc repro) certificates/dvc.yaml
	@cp data/certificates/certificates.parquet data/certificates/certificates.md \
	  data/certificates/announcements.parquet certificates/

# settings that take other features or other scores, each a list: the grid is all combinations
MULTIVERSE ?= preset=as_written,as_released,calibrated extract.pca_variance=0.95,1.0 cka.images=own,all
multiverse: .venv/.installed ## the analysis under other features and scores, as DVC experiments (MULTIVERSE=…), then all side by side
	@python -m homoplasy.stages._experiments --out data/multiverse $(foreach choice,$(MULTIVERSE),'$(choice)')

# what the table leaves out: files that stages depend on, settings that repeat params.yaml, all but the headline metrics
LEFT_OUT := ^(src|data|models|settings|conf|rosters|claims|certificates)|^(Created|Executor|points\..*)$$
LEFT_OUT := $(LEFT_OUT)|.*_(given_width|r_width|rho_performance|r_chance|z_max|z_sd)$$|.*\.(models|untestable_here)$$
LEFT_OUT := $(LEFT_OUT)|^world\.(released\.(survives|weakened)|calibrated\.reproduced)$$
table: .venv/.installed ## the experiments side by side: parameters that differ, headline correlations, counts of verdicts
	@dvc exp show --only-changed --drop '$(LEFT_OUT)' --md

check: .venv/.installed ## format, lint, types, import contracts: seconds
	@ruff format --check --quiet . || { echo "Not formatted: run make fmt"; exit 1; }
	@ruff check --quiet .
	@mypy
	@lint-imports --no-logo 2>/dev/null || lint-imports

test: check ## check, then every test
	@OMP_NUM_THREADS=1 pytest -n 2 --no-loadscope-reorder # one thread each: two that wait for each other are slower

conformance: .venv/.installed ## a network of every family of timm, layer by layer: some minutes
	@OMP_NUM_THREADS=1 pytest -n 2 -m "conformance or not conformance" tests/models/test_conformance.py

acceptance: .venv/.installed ## the tests that run whole pipelines many times over: some minutes
	@OMP_NUM_THREADS=1 pytest -m acceptance tests

MINUTES ?= 60
FIRST ?= 0
N ?= 50

hostile: .venv/.installed ## damaged files at every reader, for MINUTES=60, from case FIRST=0 on: one sentence or success
	@OMP_NUM_THREADS=1 python -m tests.hostile.attack --minutes $(MINUTES) --cases 500 --first $(FIRST)

kills: .venv/.installed ## SIGKILL at N=50 random moments of a small pipeline: the same bytes as undisturbed
	@OMP_NUM_THREADS=1 python -m tests.e2e.kills --number $(N) $(if $(FOLDER),--folder $(FOLDER))

replay: .venv/.installed ## compute every stage again from the cache of this checkout, without a network: the same bytes
	@python -m tests.e2e.replay

fmt: .venv/.installed ## format the code
	@ruff format .
	@ruff check --fix --quiet .

deps: .venv/.installed ## write the import closure of every stage into dvc.yaml
	@python -m tests.architecture.closure

docs: .venv/.installed ## write the reference pages from the code
	@python -m tests.docs.reference

size: .venv/.installed ## lines a module and a function
	@python -m tests.architecture.size

lock: ## pin every package again (needs uv)
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS uv pip compile pyproject.toml --universal --all-extras --no-header \
	  --no-annotate --no-emit-index-url --quiet -o .full.txt
	grep -vE '^(nvidia|cuda|triton)' .full.txt > requirements.lock
	rm .full.txt

clean: ## remove what the pipeline made here, its cache and its store
	rm -rf data/raw data/open data/brain data/features data/twins data/scores data/tables models reports .store .dvc/cache .dvc/tmp
