# Needs python3 (3.11 or newer) with venv, and make. Everything else goes into .venv.
#
#   make demo        does learning the 65 schools of the bundled table together help?
#   make test        the tests, in an environment with every extra
#   make lint        ruff, mypy, the direction of imports, and whether the reference is whole
#   make test-slow   the tests that take minutes
#   make docs        the documentation as a site in site/; a warning, such as a broken link, is an error
#   make bench       the published benchmarks, where their data are present
#   make clean       removes .venv, caches and the demo's report

PYTHON ?= python3
VENV ?= .venv
OUT ?= polytask-report
WORKERS ?= 2
SITE ?= site

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CORE := $(VENV)/.core-installed
DEV := $(VENV)/.dev-installed

# More BLAS threads than cores make many small solves slower, and answers differ in the last digits.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo venv test test-slow lint format docs bench clean

demo: $(CORE)
	$(BIN)/polytask compare "$$($(BIN)/python -c 'from polytask.datasets import exam_path; print(exam_path())')" \
	    --task school --target normexam \
	    --features standLRT,intake,sex,schgend,schavg,vr \
	    --out $(OUT)

venv: $(DEV)

test: $(DEV)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not slow"

test-slow: $(DEV)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m slow

lint: $(DEV)
	@status=0; \
	for tool in "ruff check ." "ruff format --check ." mypy lint-imports "python tools/check_reference.py"; do \
	    echo "== $$tool"; $(BIN)/$$tool || status=1; \
	done; exit $$status

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV)
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs $(SITE)
	@echo "Open $(SITE)/index.html"

bench: $(DEV)
	@for script in benchmarks/*.py; do \
	    if [ -e "$$script" ]; then echo "== $$script"; $(BIN)/python "$$script" || exit 1; fi; \
	done

clean:
	rm -rf $(VENV) polytask-report site docs/reference/api .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The stamps are newer than what they were made from, so a change of dependencies installs again.
$(CORE): pyproject.toml | $(BIN)/python
	@echo "Installing polytask into $(VENV) (once; a minute or so)"
	$(PIP) -e .
	touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing polytask with every extra into $(VENV) (once; some minutes)"
	$(PIP) -c constraints.txt -e '.[dev]'
	touch $(CORE) $@
