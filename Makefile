# make install    .venv with everything in it; the other targets do it first where it is missing or out of date
# make demo       train one preset per mode on real data (about 4 minutes after the install)
# make test       the tests
# make lint       ruff, pyright, import-linter
# make format     what ruff mends by itself
# make reference  write framework/docs/plugins-reference.md from the code
# make results    write the table of framework/docs/results.md; RNNLAB_DATA names the folder of the data sets
# make picture    the README's picture: the dashboard on the newest run of runs/
# make clean      remove .venv and what was built

PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format reference results picture clean

help:
	@sed -n 's/^# //p' Makefile

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rnnlab needs python 3.11 or newer, got " + sys.version.split()[0] + "; name one with: make PYTHON=python3.11 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[data,dev]'
	touch $@

install: .venv/installed

demo: install
	$(BIN)/rnnlab demo

test: install
	$(BIN)/pytest --numprocesses auto --dist loadfile

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: install
	$(BIN)/python framework/docs/plugins_reference.py

results: install
	$(BIN)/python framework/benchmarks/real_data.py

picture: install
	$(BIN)/python framework/docs/picture.py

clean:
	rm -rf .venv dist build
