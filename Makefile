# Everything sets itself up: a machine needs Python 3.11 or newer, make and pip.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-bench

.PHONY: help demo test check bench bench-peers corpus format clean
help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(READY): requirements-dev.txt constraints.txt core/pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: $(READY) ## run the squid axon, a population and a network; pictures in demo-output/
	$(BIN)/python docs/examples/demo.py

test: $(READY) ## all tests
	$(BIN)/python -m pytest -n 2

check: $(READY) ## what CI asks for beside the tests: format, lint, types, and the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -n 2 -m "not slow"

lint: $(READY) ## format, lint and types alone
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(READY) ## format and sort imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## speed, start-up, compile cost, accuracy; beside peers where .venv-bench has them
	$(BIN)/python benchmarks/run.py

bench-peers: ## install the peers that `make bench` compares with into an environment of their own
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt

corpus: $(READY) ## how many published .mod files that pip packages bring are channels here; they stay in .corpus/
	$(BIN)/python plugins/nmodl/tests/corpus.py $(PACKAGES)

clean: ## remove what make made
	rm -rf $(VENV) $(PEERS) .corpus demo-output
