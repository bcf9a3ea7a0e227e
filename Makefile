# make demo, make test: everything a fresh machine with Python 3.11 and make needs is set up on the way.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench clean

demo: $(VENV)/ready
	$(BIN)/sprachbund demo

# The models of the tests are so small that a second thread only gets in the way.
test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks

bench: $(VENV)/ready
	$(BIN)/python benchmarks/encoders.py runs/sprachbund-mini ../shared/encoder

clean:
	rm -rf $(VENV) demo

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[service,workers,hub,dev]'
	touch $@
