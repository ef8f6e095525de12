# `make` lists the targets.
PYTHON ?= python3
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test setup setup-tests stop reset lint bench messages

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: setup ## Set up what is missing, build the demo city, serve http://127.0.0.1:8000
	@$(PY) manage.py serve --demo

test: setup-tests ## Set up what is missing, then check everything that CI checks
	@$(PY) -m config.checking

setup: ## Install what the service needs
	@$(PYTHON) -m config.setup

setup-tests:
	@$(PYTHON) -m config.setup --tests

stop: ## Stop the server and the private database
	@$(PYTHON) -m config.cluster stop

reset: ## Delete the private database and every file the service wrote
	@$(PYTHON) -m config.cluster wipe
	@rm -rf var

lint: setup-tests ## Check style, types and architecture only
	@$(PY) -m config.checking --lint

bench: setup-tests ## Measure against other tools; prints a table and writes bench.json
	@$(PY) -m tests.benchmarks

messages: setup-tests ## Renew the translation catalogue
	@$(PY) manage.py makemessages -l fa --no-location --no-wrap --ignore var --ignore node_modules --ignore .venv --ignore tests
