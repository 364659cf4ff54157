# chaingraph: `make demo` shows what it does, `make test` shows that it works. Nothing else needs to be typed before either.

BIN := .venv/bin
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r

.PHONY: help setup setup-test setup-dev demo serve graphiql test check bench generate pins clean

help:
	@grep -E '^## ' Makefile | cut -c4-

## make setup     the environment in .venv, from pinned packages (done by the others when needed)
setup: .venv/.run

## make demo      load the demo consortium and show its weak links
demo: setup
	@$(BIN)/chaingraph demo

## make serve     GraphQL, tables and GraphiQL on this machine
serve: setup graphiql
	@$(BIN)/chaingraph serve

## make test      all checks and all tests
test: check
	@$(BIN)/python -m pytest -q -n 2

## make check     style, types, layers, unused dependencies
check: setup-test
	@$(BIN)/ruff check -q --output-format concise .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --cache-dir .cache/import-linter
	@$(BIN)/deptry .

## make bench     measure loading, start, paging and requests
bench: setup-dev
	@$(BIN)/python -m benchmarks

## make generate  write anew what is generated from the code: data dictionary, analyses, command line page, SDL, SQL in the tests
generate: setup-test
	@for module in schema.dictionary analytics.reference server.cli.reference server.api.sdl tests.conformance.test_sqlite; do $(BIN)/python -m $$module || exit 1; done

## make pins      compile requirements/*.txt anew from pyproject.toml; pins that still fit stay, unless UPGRADE=--upgrade
COMPILE = $(BIN)/uv pip compile --no-config --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make pins' $(UPGRADE)
pins: setup-dev
	@$(COMPILE) --group build pyproject.toml -o requirements/run.txt
	@$(COMPILE) -c requirements/run.txt --group build --group test --group check pyproject.toml -o requirements/test.txt
	@$(COMPILE) -c requirements/test.txt --group build --group test --group check --group bench --group pins pyproject.toml -o requirements/dev.txt

## make clean     remove the environment, caches and build outputs (not your data)
clean:
	rm -rf .venv .cache .hypothesis build dist *.egg-info server/graphiql/node_modules

setup-test: .venv/.test
setup-dev: .venv/.dev

.venv/pyvenv.cfg:
	@[ -n "$(PYTHON)" ] || { echo 'chaingraph needs Python 3.11 or newer with venv on the PATH as python3 (Debian: apt-get install python3 python3-venv)' >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv

.venv/.run: requirements/run.txt pyproject.toml | .venv/pyvenv.cfg
	@echo 'Installing what chaingraph runs on into .venv (first time and after updates only) ...'
	@$(INSTALL) requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: requirements/test.txt .venv/.run
	@echo 'Installing what the tests need ...'
	@$(INSTALL) requirements/test.txt
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@echo 'Installing what benchmarks and maintenance need ...'
	@$(INSTALL) requirements/dev.txt
	@touch $@

# GraphiQL is for `make serve` alone: JavaScript by its lock file, with no install scripts. Without it the server says so and runs.
graphiql: $(if $(wildcard server/graphiql/package-lock.json),server/graphiql/node_modules/.package-lock.json)

server/graphiql/node_modules/.package-lock.json: server/graphiql/package-lock.json
	@.ci/system-packages npm:npm node:nodejs || true
	@cd server/graphiql && npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json \
	  || echo 'GraphiQL could not be fetched (npm is needed once); the server starts without it.' >&2
