# make demo    open a real bone scan in napari and segment it
# make test    run the tests, in three processes
# make test-archive    run the tests with real archives (PACS), which it installs
# make check   formatting, lint, types and imports
# make docs    the documentation site, in build/site
# make setup   only set up .venv, which the others do as needed
#
# PYTHON=/path/to/python3.12    a Python to use instead of the first of 3.11, 3.12, 3.13 that is found
# PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"    a smaller, CPU-only PyTorch on Linux
# PYTEST_ARGS="-k reader"       what to give to pytest

PIP_ARGS ?=
PYTEST_ARGS ?=
export PYTHON
bin := .venv/bin
pip_install := $(bin)/python -m pip install --disable-pip-version-check --constraint constraints.txt $(PIP_ARGS)

.PHONY: help demo test test-archive check docs setup system clean

help:
	@sed -n 's/^# //p' Makefile | head -6

demo: system .venv/installed
	@scripts/on_display.sh $(bin)/python scripts/demo.py

test: system .venv/installed
	@$(bin)/python -m pytest --dist loadfile --no-loadscope-reorder --tx '3*popen//python=scripts/test_worker.sh' $(PYTEST_ARGS)

test-archive: system .venv/installed
	@scripts/archive_packages.sh
	@BONESCINT_ARCHIVE_TESTS=1 scripts/offline.sh scripts/on_display.sh $(bin)/python -m pytest -m archive $(PYTEST_ARGS)

check: system .venv/installed
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo --no-cache
	$(bin)/python scripts/import_graph.py --check

docs: system .venv/docs-installed
	@NO_MKDOCS_2_WARNING=1 $(bin)/mkdocs build --strict --quiet
	@echo "The documentation is in build/site/index.html."

setup: system .venv/installed

system:
	@scripts/system_packages.sh

.venv/bin/pip: | system
	@python=$$(scripts/find_python.sh) && "$$python" -m venv .venv

# The build back end comes first and from constraints.txt: pip would fetch the newest one into its isolated build.
# The stamp is written last, so an interrupted installation is taken up again.
.venv/installed: pyproject.toml constraints.txt | .venv/bin/pip
	@echo "Installing the Python packages into .venv. The first time this takes some minutes;"
	@echo "on Linux without an NVIDIA GPU, the PIP_ARGS at the top of the Makefile save gigabytes of CUDA libraries."
	@$(pip_install) hatchling editables
	@$(pip_install) --no-build-isolation --editable '.[dev]'
	@touch $@

.venv/docs-installed: .venv/installed
	@$(pip_install) --quiet --no-build-isolation --editable '.[docs]'
	@touch $@

clean:
	rm -rf .venv build dist demo
