# Everything below needs Python 3.11 and make; the rest is fetched into .venv and .local of this folder.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin
PYTEST := $(VENV)/python -m pytest
UV := .local/programs/uv/bin/uv
SOURCES := $(wildcard proxy adapters control_ui deploy tests)
export PYTHONDONTWRITEBYTECODE := 1
.DEFAULT_GOAL := help
.PHONY: help env run test check proof bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: ## make .venv from the hash-pinned lock; nothing to do when the lock is unchanged
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 is needed: make PYTHON=...")'
	@$(PYTHON) -m deploy.local.environment

run: env ## start real MySQL, DynamoDB Local and the proxy, with a sample shop
	@$(VENV)/python -m deploy.local.run

test: check ## check, then run the tests that need the real databases, in their short form
	$(PYTEST) tests --ignore tests/unit

check: env ## lint, format, types, import rules and the pure tests, in under a minute
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy $(SOURCES)
	$(VENV)/lint-imports
	$(PYTEST) tests/unit

proof: check ## check, then run the tests that need the real databases, at full size
	CROSSFADE_PROOF=full $(PYTEST) tests --ignore tests/unit

bench: env ## measure the proxy's cost
	$(VENV)/python -m tests.load.bench

lock: env ## renew requirements*.lock and the lock of DynamoDB Local
	$(VENV)/python -m venv --clear .local/programs/uv
	.local/programs/uv/bin/pip install --quiet uv
	$(UV) $(COMPILE) requirements.in --output-file requirements.lock
	$(UV) $(COMPILE) --constraints requirements.lock requirements-dev.in --output-file requirements-dev.lock
	$(VENV)/python -m deploy.local.maven

clean: ## delete .venv, .local (with its data) and caches
	rm -rf .venv .local *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

COMPILE := pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-cache
