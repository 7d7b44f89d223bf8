# Each target makes its own virtual environment; nothing else has to be prepared.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint docs clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(STAMP)

demo: $(STAMP)  ## start the reference app, judge it, show the verdicts
	$(BIN)/authconform run --profile reference:cookie

test: $(STAMP) lint  ## everything that must hold
	$(BIN)/python -m pytest tests -n auto --dist worksteal --timeout 300 -q
	$(BIN)/python -m pytest suites -q

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)  ## write what is generated again
	$(BIN)/python -m harness.profile.docs
	$(BIN)/python -m mock_idp.configuration.docs
	$(BIN)/python -m mock_idp.control.docs
	$(BIN)/python -m mock_idp.faults.docs
	$(BIN)/python -m tests.peers.docs

clean:
	rm -rf $(VENV) dist build authconform-report
