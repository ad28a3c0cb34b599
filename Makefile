# Two commands do everything: `make demo` and `make test`. Each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STORE  := demo
PICTURE := demo.png

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(VENV)/installed ## Set up an environment of its own in .venv

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[train,dev]'
	@touch $@

demo: setup ## Build the demo dataset from real data, search it, draw it, load it
	$(BIN)/eodata build demo --out $(STORE)
	$(BIN)/eodata verify $(STORE)
	$(BIN)/eodata catalog search --task cloud-removal --sensor sentinel-1
	$(BIN)/eodata show $(STORE) flanders_r001_c001 --out $(PICTURE)
	$(BIN)/python docs/examples/first_batch.py $(STORE)

test: setup check ## Pass the checks and all tests
	$(BIN)/python -m pytest

check: setup ## Format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove the environment, caches and the demo
	rm -rf $(VENV) $(STORE) $(PICTURE) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
