# Everything is done in .venv, which make creates. `make` alone lists what there is.

PYTHON ?= python3
VENV ?= .venv
PY = $(VENV)/bin/python
RUN = $(VENV)/.stamp-run
DEV = $(VENV)/.stamp-dev
PIP = $(PY) -m pip install --quiet --disable-pip-version-check --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo shop clean-demo test check format docs examples screenshots fuzz-api crash lives bench bench-api bench-pages
.PHONY: migrate migrations audit clean

# Checks and tests run with made-up secrets, on the embedded servers or on those the URLs name.
check test docs examples screenshots fuzz-api crash lives bench bench-api bench-pages: export DJANGO_SETTINGS_MODULE = tests.settings

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN) ## run everything with a seeded marketplace and one live order; ONCE=1 stops after it, PORT=8000
	@exec $(PY) manage.py demo $(if $(ONCE),--once) $(if $(PORT),--port $(PORT))

shop: $(RUN) ## open the example shop beside the running demo; PORT=8010
	@exec $(PY) -m examples.shop $(if $(PORT),--port $(PORT))

clean-demo: ## forget all data of the demo
	@if [ -x $(PY) ]; then exec $(PY) -m settlement_site.embedded forget; fi

test: check ## check, then run all tests, everything from zero; JOBS=
	$(PY) -m pytest -n $(or $(JOBS),auto) --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(DEV) ## format, lint, types, layers, missing migrations, docs
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	env -u DATABASE_URL -u REDIS_URL $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) docs/build.py --check

format: $(DEV) ## format the code and fix what can be fixed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

docs: $(DEV) ## write the generated pages of docs/ anew
	$(PY) docs/build.py

examples: $(DEV) ## record the examples of the API's description anew, by living a shop's day
	UPDATE_EXAMPLES=1 $(PY) -m pytest -q tests/api/test_examples.py

screenshots: $(DEV) ## take pictures of every page: desk and phone, light and dark, both languages; into var/
	@exec $(PY) -m tests.browser

bench-api: $(DEV) ## measure creating orders over HTTP beside a bare view; fails when the goal is missed
	@exec $(PY) -m benchmarks.api

fuzz-api: $(DEV) ## send the API all its description allows and what it does not; SEED=, EXAMPLES=50
	@exec $(PY) -m tests.api.fuzz $(if $(SEED),--seed $(SEED)) $(if $(EXAMPLES),--examples $(EXAMPLES))

bench-pages: $(DEV) ## measure pages with 100,000 orders beside the same with 100; fails when a goal is missed
	@exec $(PY) -m benchmarks.pages

crash: $(DEV) ## kill the program at every point of every flow; fails when one loses or doubles money
	$(PY) -m tests.faults.crash
	BUGS=all $(PY) -m pytest -q tests/faults/test_seeded_bugs.py

lives: $(DEV) ## live 10,000 random lives of sales against the oracle; SEED=, LIVES=10000, ONLY= one batch again
	@exec $(PY) -m tests.lives $(if $(SEED),--seed $(SEED)) $(if $(LIVES),--lives $(LIVES)) $(if $(ONLY),--only $(ONLY))

bench: $(DEV) ## measure side by side with a peer; fails when a goal is missed
	@exec $(PY) -m benchmarks

migrate: $(RUN) ## bring the database to the current schema
	@exec $(PY) manage.py migrate

migrations: $(DEV) ## write migrations for changed models
	@exec $(PY) manage.py makemigrations

audit: $(RUN) ## prove the books
	@exec $(PY) manage.py audit_books

clean: clean-demo ## forget the data and the virtual environment
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Holdfast needs Python 3.11 or later; set PYTHON=.")'
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements.txt | $(PY)
	$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements.txt requirements-dev.txt | $(PY)
	$(PIP) -r requirements-dev.txt
	@touch $(RUN) $@
