# `make demo` and `make test` need Python 3.11 or newer and nothing else; both make .venv when it is missing or stale.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= --bench F3 --seeds 8 --circuit T1 --settle 0.5
BIN := $(VENV)/bin
# The environment is stale when what it was made from has changed.
KEY := $(shell cat constraints.txt pyproject.toml | cksum | cut -d' ' -f1)
# What ours is measured against lives apart: some of it is GPL, and none of it is imported by the package.
PEERS ?= .venv-bench
PEERS_KEY := $(shell cksum < benchmarks/peers.txt | cut -d' ' -f1)
export OMP_NUM_THREADS ?= 1

.PHONY: demo test lint format bench clean

demo: $(VENV)/.core-$(KEY)
	$(BIN)/phasescope grok $(DEMO)

test: $(VENV)/.test-$(KEY)
	$(BIN)/python -m pytest -n auto

# The checks that pre-commit and CI call.
lint: $(VENV)/.test-$(KEY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.test-$(KEY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Hours of processor time: every figure of docs/reference/figures.md, into benchmarks/results/.
bench: $(VENV)/.test-$(KEY) $(PEERS)/.peers-$(PEERS_KEY)
	set -e; for script in benchmarks/accuracy/*.py benchmarks/speed/*.py; do \
		peers=; if grep -q 'add_argument("--peers"' "$$script"; then peers="--peers $(PEERS)/bin/python"; fi; \
		echo "$$script $$peers"; $(BIN)/python "$$script" $$peers; \
	done
	$(BIN)/python docs/build_reference.py

$(VENV)/.core-$(KEY): | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	$(BIN)/phasescope doctor >/dev/null 2>&1 || true # compiles the kernels, once
	touch $@

$(VENV)/.test-$(KEY): | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.core-$(KEY)

$(PEERS)/.peers-$(PEERS_KEY): | $(VENV)/bin/python
	$(VENV)/bin/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers.txt
	touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "phasescope needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "this Python has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf .venv .venv-bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
