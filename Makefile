# make lab        set up, then open JupyterLab on the first notebook
# make test       set up with the test tools, then style, types and tests (about 10 minutes on 2 cores)
# make test-all   the same with the slow tests
# make course     write the exercise notebooks of the course from those with solutions
# make wheelhouse for laptops without an index: every wheel that they need, for this system and this Python
# make clean      remove the environment and what the checks left behind
#
# Another Python: make lab PYTHON=python3.13. Windows, conda: see README.md.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python

.PHONY: lab test test-all course wheelhouse clean
.DELETE_ON_ERROR:

lab: $(VENV)/lab.done
	@$(PY) -m ssmlab lab

test: CHOICE := -m "not slow"
test test-all: $(VENV)/test.done
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy ssmlab
	$(PY) -m pytest -n logical --maxprocesses 4 --dist loadgroup $(CHOICE)

# A stamp a set of packages: nothing is installed again until a version or a name changes.
# uv takes seconds where pip takes a minute; where uv cannot be had or does not reach an index, pip does the same.
$(VENV)/test.done: EXTRA := [test]
$(VENV)/lab.done $(VENV)/test.done: $(PY) pyproject.toml constraints.txt
	$(PY) -m pip --disable-pip-version-check install --quiet -c constraints.txt uv \
	  && $(PY) -m uv pip install --quiet --python $(PY) -c constraints.txt -b constraints.txt -e '.$(EXTRA)' \
	  || $(PY) -m pip --disable-pip-version-check install -c constraints.txt -e '.$(EXTRA)'
	@touch $@

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit("ssmlab needs Python 3.11 or newer, `$(PYTHON)` is %d.%d: try `make PYTHON=python3.13`" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' || { echo 'ssmlab needs the venv module of `$(PYTHON)`: on Debian and Ubuntu, apt install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

course: $(VENV)/lab.done
	$(PY) -m ssmlab workshop build

# The project's own wheel and those of the versions in constraints.txt; one that an index has only as source is built.
wheelhouse: $(PY)
	rm -rf wheelhouse
	$(PY) -m pip --disable-pip-version-check wheel --quiet -c constraints.txt -w wheelhouse .
	@du -sh wheelhouse

clean:
	rm -rf $(VENV) build dist wheelhouse .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
