# Three commands: `make kg` sets up, builds, asks, draws and exports; `make serve` serves it; `make test` sets up and tests.
# Everything is set up in .venv from requirements.lock, whose hashes pip checks.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/.set-up
FRONT := kg/web/front
BUILT := kg/web/static/built/licences.txt

.PHONY: kg serve test lint front lock clean help

kg: $(SET_UP) front
	@echo "Building the graph"
	@$(BIN)/kg build
	@echo
	@echo "Who approved the first CAR-T cell therapy against BCMA in each market?"
	@$(BIN)/kg query first-by-target --target BCMA --therapy-class CAR-T --format table
	@echo
	@$(BIN)/kg network agency-product-class --out build/agency-product-class.html
	@$(BIN)/kg export build/exports > /dev/null
	@echo
	@echo "Graph      build/current        (report: build/current/report.html)"
	@echo "Picture    build/agency-product-class.html   (open it in a browser)"
	@echo "Exports    build/exports        (Turtle, N-Quads, JSON-LD, CSV ... with SHA256SUMS)"
	@echo
	@echo "Next:      source $(VENV)/bin/activate, then"
	@echo "           kg queries"
	@echo "           kg query approvals --agency NMPA"
	@echo "           kg show Kymriah"

serve: kg
	@$(BIN)/kg serve

test: lint front
	$(BIN)/pytest

lint: $(SET_UP)
	$(BIN)/ruff check kg tests benchmarks
	$(BIN)/ruff format --check kg tests benchmarks
	$(BIN)/mypy

$(SET_UP): requirements.lock pyproject.toml
	@echo "Setting up $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with PYTHON=")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The scripts that need npm packages; without Node.js everything else is served all the same.
front:
	@if command -v npm > /dev/null; then $(MAKE) --no-print-directory $(BUILT); \
	else echo "Node.js is not there: the pages are served without the richer editor and network"; fi

$(BUILT): $(FRONT)/package-lock.json $(FRONT)/build.js $(wildcard $(addprefix $(FRONT)/src/,*.js lib/*.js lib/*/*.js)) kg/looks.json
	@echo "Building the pages' scripts"
	@cd $(FRONT) && npm ci --ignore-scripts --silent && npm run --silent build

# For maintainers: resolve anew within the ranges of pyproject.toml, for Python 3.11 to 3.13 on every platform.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --extra dev --output-file requirements.lock pyproject.toml
	rm -r $(VENV)-lock

clean:
	rm -rf build dist $(VENV) $(FRONT)/node_modules kg/web/static/built

help:
	@echo "make kg     set up, build, ask, draw, export"
	@echo "make serve  the same, and serve it at http://127.0.0.1:8000"
	@echo "make test   set up, lint, type-check, test"
