# make demo, make test: everything a fresh machine with Python 3.11 and make needs is set up on the way.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-cluster lint bench docs clean

demo: $(VENV)/ready
	$(BIN)/sprachbund demo

# The models of the tests are so small that a second thread only gets in the way.
test: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Whole jobs on clusters of several nodes, killed, cut off and starved: what docs/jobs.md promises of faults. They take
# some ten minutes, and on a machine that does other things several times as long.
test-cluster: $(VENV)/ready
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m cluster --timeout 1800

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy benchmarks studies tools

# The figures of one worker and of whole matrices (docs/performance.md); half an hour on 2 quiet cores.
bench: $(VENV)/ready
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/fill.py
	$(BIN)/python benchmarks/fill.py --growth 4,8,16,32

# The reference of every public name, from its docstrings, as pages in docs/api; nothing is fetched.
docs: $(VENV)/ready
	$(BIN)/pdoc --output-directory docs/api --docformat google sprachbund matrices adapters_zoo workers service

clean:
	rm -rf $(VENV) demo

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[service,workers,hub,typology,dev]'
	touch $@
