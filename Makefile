# Two commands do all set-up on a fresh machine with Python 3.11 and make:  make demo   make test
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: install demo demo-reset test test-long check lint types contracts format bench bench-10m lock clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The lock carries hashes and no host. While it is unchanged this touches no network.
$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

install: $(READY) ## set up what the other commands need

demo: $(READY) ## run everything on this machine with a story to look at: public on :8000, admin on :8001
	$(BIN)/sunledger demo

demo-reset: $(READY) ## throw the demo's data away
	$(BIN)/sunledger demo --reset

test: $(READY) ## run the tests
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

test-long: $(READY) ## run the long suite too (29 kill rounds, thousands of histories)
	$(BIN)/pytest --long

check: lint types contracts test ## what CI runs

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

format: $(READY) ## put the code in its one form
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

bench: $(READY) ## measure, beside what a user would pick instead; over HTTP where wrk is installed
	$(BIN)/python -m bench

bench-10m: $(READY) ## the same with ten million gifts (long)
	$(BIN)/python -m bench --gifts 10000000

lock: ## write the lock files anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --extra dev pyproject.toml -o requirements-dev.lock

clean: ## remove what was built (the demo's data stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
