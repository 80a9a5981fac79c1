# `make` alone lists the targets. Each does all set-up that is still missing.
.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv/bin
# What an engine is needed for comes one after another: some count what is left on it, and what a
# kernel does in which order differs where much else goes on.
BY_TWO := $(VENV)/python -m pytest -n 2 --dist loadfile
# Also where Python is told to keep no bytecode: the tests start the same programs all the time.
export PYTHONDONTWRITEBYTECODE :=
# As it was given: the shell, not make, is to see what is in it.
override FILE := $(value FILE)
export FILE

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: demo
demo: setup ## Bring a small internet up and let it work (FILE=... for a file of yours)
	@$(VENV)/labctl demo $${FILE:+--file "$$FILE"}

.PHONY: test
test: setup lint types ## All tests: lint, types, unit, engine, labs
	@failed=0; \
	$(BY_TWO) tests/unit || failed=1; \
	$(VENV)/python -m pytest tests/engine labs || failed=1; \
	exit $$failed

.PHONY: setup
setup: ## Install what is missing: .venv, Docker engine, Compose, images
	@scripts/setup

.PHONY: lint
lint: python ## Check style and format
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .

.PHONY: types
types: python ## Check types
	@$(VENV)/mypy
	@MYPYPATH=images/observer/agent $(VENV)/mypy images/observer/agent

.PHONY: unit
unit: python ## Tests that need no engine
	@$(BY_TWO) tests/unit

.PHONY: fuzz
fuzz: python ## The same with sixteen times as many tries of what is fuzzed, new ones each time
	@LABCTL_FUZZ=thorough $(BY_TWO) tests/unit

.PHONY: engine
engine: setup ## Tests on a real engine
	@$(VENV)/python -m pytest tests/engine

.PHONY: labs
labs: setup ## The tests of the labs
	@$(VENV)/python -m pytest labs

.PHONY: python
python:
	@scripts/setup python

.PHONY: lock
lock: ## Write requirements.lock anew (needs uv)
	@scripts/lock

.PHONY: clean
clean: ## Remove what was made here: all that labctl left on the engine, .venv, caches
	@if [ -x $(VENV)/labctl ]; then \
	  $(VENV)/labctl clean || echo "What labctl left on the engine is still there." >&2; fi
	@rm -rf labctl-demo.html .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
