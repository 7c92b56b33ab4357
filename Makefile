# Two commands do everything: `make demo` and `make test`. Both create the environment first.
PYTHON ?= python3
JOBS ?= 2
BIN := .venv/bin

.PHONY: demo test test-anywhere lint format clean

demo: .venv/ready
	$(BIN)/python -m interpnet_tf.experiments.demo --out demo

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# The whole suite seven times, as other processors and busy machines would run it.
test-anywhere: lint
	$(BIN)/python tests/anywhere.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/ready: requirements.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 11) <= sys.version_info < (3, 14), 'Python 3.11 to 3.13 is needed: make PYTHON=python3.12 …'"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf .venv demo runs build *.egg-info
