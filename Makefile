# `make demo` shows what Closeread finds; `make test` checks everything. Both make their own virtual environment first,
# once for each state of pyproject.toml, in .venv. PYTHON=python3.13 chooses another interpreter.

PYTHON ?= python3
BIN := .venv/bin
KEY := $(shell cat pyproject.toml Makefile | cksum | tr -d ' ')

.PHONY: demo test check format clean

demo: .venv/installed-$(KEY)
	$(BIN)/closeread analyze --path examples --output report.json

test: check
	$(BIN)/python -m pytest -n 2

check: .venv/developed-$(KEY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/developed-$(KEY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist report.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/installed-$(KEY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Closeread needs Python 3.11 or later as $(PYTHON): apt install python3, or make PYTHON=python3.x" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make virtual environments: apt install python3-venv" >&2; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/developed-$(KEY): .venv/installed-$(KEY)
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@
