# `make demo` shows what Closeread finds; `make test` checks everything. Both make their own virtual environment first,
# once for each state of pyproject.toml, in .venv. PYTHON=python3.13 chooses another interpreter.

PYTHON ?= python3
BIN := .venv/bin
KEY := $(shell cat pyproject.toml Makefile | cksum | tr -d ' ')

# What tests need that takes long to make is kept here between checkouts.
VSCODE := editors/vscode
CACHE := $(HOME)/.cache/closeread-tests
LLAMA := 0.3.36
WHEEL := $(CACHE)/wheels/llama_cpp_python-$(LLAMA)

# The compiled analysers: a virtual environment of their own, made anew when the sources change.
SOURCES := $(shell find analyzers server -name '*.py' -o -name '*.toml' -o -name '*.md' | sort | xargs cat pyproject.toml hatch_build.py | cksum | tr -d ' ')
COMPILED := .compiled/bin

.PHONY: demo test test-model with-model wheel compiled test-compiled check format clean latency editor-tools validators vsix vscode-lock

demo: .venv/installed-$(KEY)
	$(BIN)/closeread analyze --path examples --output report.json

test: check
	$(BIN)/python -m pytest -n 2 --dist worksteal

# The tests that run a model: `with-model` builds llama-cpp-python once (some 15 minutes of processor time, at the lowest
# priority) and gets a small model; then these tests are part of `make test` too.
test-model: with-model
	$(BIN)/python -m pytest -n 1 tests/model

with-model: .venv/model-$(KEY)

# A wheel with the analysers' hottest modules compiled, for this platform and Python: needs a C compiler and three minutes.
wheel: .venv/installed-$(KEY)
	@command -v cc >/dev/null || { echo "Compiling needs a C compiler: apt install gcc" >&2; exit 1; }
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# That wheel, installed into .compiled: what benchmarks/speed.py measures when .compiled/bin/python runs it.
compiled: .compiled/installed-$(SOURCES)

# What is compiled passes the analysers' own tests, and finds what the interpreted modules find.
test-compiled: .compiled/installed-$(SOURCES)
	$(COMPILED)/python -m pytest -n 2 -p no:cacheprovider tests/rules tests/flow tests/applications tests/examples tests/hostile

check: .venv/developed-$(KEY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/developed-$(KEY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What the tests in real editors need beyond Debian's packages: Neovim, and VS Code's workbench; once, into ~/.cache/closeread-tests.
editor-tools: $(VSCODE)/node_modules/.package-lock.json .venv/developed-$(KEY)
	PYTHON=$(BIN)/python tests/editors/install-neovim
	tests/editors/install-workbench

# What says whether reports and the Dockerfile are valid, for the tests of formats: once, into ~/.cache/closeread-tests.
validators: .venv/developed-$(KEY)
	PYTHON=$(BIN)/python tests/server/install-validators

# The VS Code extension with the server in it, for this machine or for TARGET (linux-x64, darwin-arm64, win32-x64, ...).
TARGET ?= $(shell $(PYTHON) $(VSCODE)/bundle.py --target)
vsix: $(VSCODE)/node_modules/.package-lock.json .venv/developed-$(KEY)
	$(BIN)/python $(VSCODE)/bundle.py $(TARGET)
	cd $(VSCODE) && npm run --silent check && npm run --silent build
	mkdir -p dist && cp LICENSE $(VSCODE)/
	cd $(VSCODE) && npx --no-install vsce package --no-dependencies --allow-package-secrets github --target $(TARGET) --out $(CURDIR)/dist/closeread-$(TARGET).vsix

$(VSCODE)/node_modules/.package-lock.json: $(VSCODE)/package-lock.json
	cd $(VSCODE) && npm ci --no-audit --no-fund
	@touch $@

# What the extension carries, pinned anew by hash.
vscode-lock: .venv/developed-$(KEY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--upgrade --quiet --output-file $(VSCODE)/requirements.txt

# The language server beside its peers; some ten minutes, on a machine that does nothing else.
latency: .venv/developed-$(KEY)
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python benchmarks/latency.py

clean:
	rm -rf .venv .compiled build dist report.json .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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
	$(BIN)/python -m pip install --quiet --group dev --editable '.[sidecar]'
	@touch $@

.compiled/installed-$(SOURCES): .venv/installed-$(KEY)
	rm -rf .compiled dist/closeread-*.whl
	$(MAKE) --no-print-directory wheel
	$(BIN)/python -m venv .compiled
	$(COMPILED)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(COMPILED)/python -m pip install --quiet --group dev dist/closeread-*.whl
	@touch $@

.venv/model-$(KEY): .venv/developed-$(KEY)
	@command -v c++ >/dev/null || { echo "Building llama-cpp-python needs a C++ compiler: apt install g++" >&2; exit 1; }
	@ls $(WHEEL)-*.whl >/dev/null 2>&1 || CMAKE_ARGS="-DGGML_NATIVE=OFF -DLLAVA_BUILD=OFF" CMAKE_BUILD_PARALLEL_LEVEL=2 \
		nice -n 19 $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir $(CACHE)/wheels llama-cpp-python==$(LLAMA)
	$(BIN)/python -m pip install --quiet "$$(ls $(WHEEL)-*.whl)[server]"
	$(BIN)/python tests/model/smollm2.py
	@touch $@
