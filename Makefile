# What one does with this tree.  `make demo` and `make test` need nothing before them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NPM := npm ci --silent --ignore-scripts --no-audit --no-fund --prefix
PACKAGES := postgresql slapd ldap-utils dovecot-core dovecot-imapd dovecot-lmtpd dovecot-ldap \
	postfix postfix-ldap apache2 libapache2-mod-auth-openidc redis-server chromium-headless-shell fonts-dejavu-core nodejs npm

.PHONY: help setup demo test lint bench faults docs lock clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

demo: $(VENV)/run  ## the service with stand-in systems around it, on http://localhost:8080
	$(BIN)/achkych demo

setup: $(VENV)/dev packages  ## everything that developing and testing needs
	@command -v npm >/dev/null 2>&1 && $(NPM) tests/journeys && $(NPM) tests/clients \
		|| echo "npm is missing: pages are not searched for barriers, clients from npm are not tried"

# in memory where there is room for it: thousands of small databases are made and thrown away
SCRATCH := $(shell test "$$(df --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 4000000 2>/dev/null && echo /dev/shm || echo /tmp)

# counting branches slows everything by two fifths, so only the tests of the rules do it
test: setup  ## all tests, on SQLite and PostgreSQL; their files in memory where that is possible
	$(BIN)/python -m pytest tests/policies --cov=policies --cov-branch --cov-report=term:skip-covered
	TMPDIR=$(SCRATCH) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/policies

lint: $(VENV)/dev  ## style and known weaknesses, types, who may know whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev  ## figures: orders; the provider beside two foreign ones; a storm of sign-ins; whether time tells who exists (docs/bench.md)
	$(BIN)/python -m tests.bench.orders
	$(BIN)/python -m tests.bench.speed
	$(BIN)/python -m tests.bench.storm
	$(BIN)/python -m tests.bench.timing

faults: $(VENV)/dev  ## kills, outages, floods: what becomes of orders meanwhile; SCALE=1 is the full figures (docs/faults.md)
	TMPDIR=$(SCRATCH) $(BIN)/python -m tests.faults $(if $(SCALE),--scale $(SCALE))

docs: $(VENV)/dev  ## write the generated pages
	$(BIN)/python -m idp dev settings > docs/settings.md

lock:  ## pin the newest versions that pyproject.toml allows, with hashes (needs uv)
	uv pip compile -q --no-strip-extras --generate-hashes --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" --extra demo --extra build pyproject.toml -o requirements.lock
	uv pip compile -q --no-strip-extras --generate-hashes --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" --extra dev --extra build pyproject.toml -o requirements-dev.lock
	uv pip compile -q --no-strip-extras --generate-hashes --universal --python-version 3.11 --no-annotate \
		--custom-compile-command "make lock" tests/bench/canaille.in -o tests/bench/canaille.lock

clean:  ## back to a fresh clone
	rm -rf $(VENV) var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find . -name __pycache__ -prune -exec rm -rf {} +
	find idp/translations -name '*.mo' -delete

# --- steps of the above

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || $(PYTHON) .ci/bare_venv.py $(VENV)

$(VENV)/run: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements.lock)

$(VENV)/dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(call install,requirements-dev.lock)
	@touch $(VENV)/run

define install
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m babel.messages.frontend -q compile -d idp/translations
	@touch $@
endef

# Debian's packages for the tests against real servers; without apt and root those tests skip and say what is missing
.PHONY: packages
packages:
	@sh .ci/packages $(PACKAGES)
