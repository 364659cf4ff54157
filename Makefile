# chaingraph: `make demo` shows what it does, `make test` shows that it works. Nothing else needs to be typed before either.

BIN := .venv/bin
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v "$$p"; break; }; done)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r

.PHONY: help setup setup-test setup-dev setup-neo4j setup-oracles setup-oidc setup-chromium demo demo-neo4j serve graphiql test check bench bundle generate pins clean

help:
	@grep -E '^## ' Makefile | cut -c4-

## make setup     the environment in .venv, from pinned packages (done by the others when needed)
setup: .venv/.run

## make demo      load the demo consortium and show its weak links
demo: setup
	@$(BIN)/chaingraph demo

## make demo-neo4j  the same on Neo4j: at NEO4J=bolt://..., else on a server for the occasion that stays until Ctrl-C
ifdef NEO4J
demo-neo4j: setup
	@CHAINGRAPH_STORE='$(NEO4J)' $(BIN)/chaingraph demo
else
demo-neo4j: setup setup-neo4j
	@$(BIN)/python -m tests.neo4j.server $(BIN)/chaingraph demo
endif

## make serve     GraphQL, tables and GraphiQL on this machine
serve: setup graphiql
	@$(BIN)/chaingraph serve --open

## make test      all checks and all tests
test: check setup-neo4j setup-oracles setup-oidc setup-chromium
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal

## make check     style, types, layers, unused dependencies
check: setup-test
	@$(BIN)/ruff check -q --output-format concise .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --cache-dir .cache/mypy-windows schema chaingraph ingest analytics server fixtures
	@$(BIN)/lint-imports --cache-dir .cache/import-linter
	@$(BIN)/deptry .

## make bench     measure loading, start, paging and requests
bench: setup-dev setup-neo4j setup-oracles
	@$(BIN)/python -m benchmarks

## make bundle    one archive in dist/ to install from without a network; PLATFORM=win_amd64 and PYTHONS="3.11 3.13" for others
bundle: setup
	@$(BIN)/python .ci/bundle.py $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(PYTHONS),--python $(PYTHONS))

## make generate  write anew what is generated from the code: data dictionary, analyses, command line page, SDL, SQL and Cypher in the tests
generate: setup-test
	@for module in schema.dictionary analytics.reference server.cli.reference server.api.sdl tests.conformance.test_sqlite tests.conformance.test_neo4j; do $(BIN)/python -m $$module || exit 1; done

## make pins      compile requirements/*.txt anew from pyproject.toml; pins that still fit stay, unless UPGRADE=--upgrade
COMPILE = $(BIN)/uv pip compile --no-config --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make pins' $(UPGRADE)
pins: setup-dev
	@$(COMPILE) --group build pyproject.toml -o requirements/run.txt
	@$(COMPILE) -c requirements/run.txt --group build --group test --group check pyproject.toml -o requirements/test.txt
	@$(COMPILE) -c requirements/test.txt --group build --group test --group check --group bench --group pins pyproject.toml -o requirements/dev.txt
	@$(COMPILE) --group oracles -o requirements/oracles.txt

## make clean     remove the environment, caches and build outputs (not your data)
clean:
	rm -rf .venv .cache .hypothesis build dist *.egg-info server/graphiql/node_modules tests/auth/provider/node_modules

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

# Libraries that fits are compared and raced with: they want other versions of what chaingraph runs on.
ORACLES := .cache/oracles

setup-oracles: $(ORACLES)/stamp

# autograd-gamma is there as a source only: small pure Python, made a wheel by the setuptools of .venv
$(ORACLES)/stamp: requirements/oracles.txt | .venv/.run
	@echo 'Installing the libraries that fits are compared with (first time and after updates only) ...'
	@rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --require-hashes --no-deps --no-build-isolation \
	  --only-binary :all: --no-binary autograd-gamma -r $< -w $(@D)/wheels
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps $(@D)/wheels/*.whl
	@rm -rf $(@D)/wheels
	@touch $@

# The Neo4j of the tests: its libraries by Maven, as tests/neo4j/pom.xml pins them, and a Java to run them.
NEO4J_LIBRARIES := .cache/neo4j/$(shell sed -n 's:.*<neo4j.version>\(.*\)</neo4j.version>.*:\1:p' tests/neo4j/pom.xml)

setup-neo4j: $(NEO4J_LIBRARIES)/stamp
	@.ci/system-packages java:default-jre-headless

$(NEO4J_LIBRARIES)/stamp: tests/neo4j/pom.xml
	@.ci/system-packages java:default-jre-headless mvn:maven
	@echo 'Fetching the Neo4j server that the tests run on (first time and after updates only) ...'
	@rm -rf $(@D)
	@mvn -q -B -f tests/neo4j/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(abspath $(@D))/lib
	@touch $@

# The OpenID Connect provider that tests of authentication run against: JavaScript by its lock file, no install scripts.
OIDC := tests/auth/provider/node_modules/.package-lock.json

setup-oidc: $(OIDC)
	@.ci/system-packages node:nodejs

$(OIDC): tests/auth/provider/package-lock.json
	@.ci/system-packages npm:npm node:nodejs
	@echo 'Fetching the identity provider of the tests (first time and after updates only) ...'
	@cd $(<D) && npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json

# The browser of the tests: Debian's own, for playwright to drive.
setup-chromium:
	@.ci/system-packages chromium:chromium

# GraphiQL is for `make serve` alone: JavaScript by its lock file, with no install scripts. Without it the server says so and runs.
graphiql: $(if $(wildcard server/graphiql/package-lock.json),server/graphiql/node_modules/.package-lock.json)

server/graphiql/node_modules/.package-lock.json: server/graphiql/package-lock.json
	@.ci/system-packages npm:npm node:nodejs || true
	@cd server/graphiql && npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json \
	  || echo 'GraphiQL could not be fetched (npm is needed once); the server starts without it.' >&2
