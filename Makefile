# `make` alone lists the targets. Each does all set-up that is still missing.
.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv/bin
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
	@$(VENV)/python -m pytest tests/unit tests/engine labs

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
	@$(VENV)/python -m pytest tests/unit

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
