# Two commands do all set-up: `make run` runs the monthly cycle on the sample, `make test` the tests.
# Everything they make stays in .venv, .lab (engine, registry, images) and .refit (the sample's state).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
CONFIG ?=
TESTS ?= tests
T ?=

.PHONY: run test test-long lint format schemas bench lock clean help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/ready ## Run the monthly cycle on the sample; ARGS="--dry-run", CONFIG=my.yaml for your own
ifeq ($(CONFIG),)
	@$(BIN)/python -m deploy.run $(ARGS)
else
	@$(BIN)/refit run --config $(CONFIG) $(ARGS)
endif

test: $(VENV)/ready ## Run the tests; TESTS=path, T="pytest arguments"
	$(BIN)/python -m tests.setup
	$(BIN)/pytest -m "not long" -n 2 $(T) $(TESTS)

test-long: $(VENV)/ready ## Run what takes longer: fuzzing, large inputs
	$(BIN)/python -m tests.setup
	$(BIN)/pytest -m long --timeout 1800 -n 2 $(T) $(TESTS)

lint: $(VENV)/ready ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/ready ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(VENV)/ready ## Write config/schemas/ from the models
	$(BIN)/python -m bot.report.schemas
	$(BIN)/python -m bot.settings.schema

bench: $(VENV)/ready ## Measure: each line a ratio against a named limit or peer
	$(BIN)/python -m tests.bench

lock: $(VENV)/ready ## Renew requirements.lock and that of the image (hashes, no hosts)
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --group dev --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --group image \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file deploy/requirements.lock

clean: ## Remove what the other targets made, the running lab included
	-@test ! -x $(BIN)/python || $(BIN)/python -m deploy.lab down
	rm -rf $(VENV) .lab .refit

# Made anew when the lock file or the project's metadata changes; a hash mismatch stops it.
$(VENV)/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Refit needs Python 3.11 or newer, and $(PYTHON) is %d.%d: make PYTHON=python3.11 …" \
	  % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
