# Two commands for newcomers: `make demo` and `make test`. Both make .venv first, with the versions in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
# One thread a test process: two processes with four threads each would fight over the cores.
TEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4

.PHONY: demo test lint clean

demo: .venv/ready
	$(BIN)/zerosum train digits --recipe cgan --minutes 0.95

test: .venv/ready
	$(TEST)

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "zerosum needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
