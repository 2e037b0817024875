# make run [SOURCE=film.mp4] [LISTEN=127.0.0.1:8080]   the whole system on this machine
# make test                                            everything that needs no foreign program
# make check | interop | slow | bench                  linters, real peers, soaks, figures
# make requirements                                    which of what the RFCs demand has a test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test check interop slow bench requirements clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -4

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "hairpin needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up $(VENV) (once)" >&2
	@$(PYTHON) -m venv $(VENV) >&2 \
	  || { rm -rf $(VENV); echo "python3 cannot make virtual environments: on Debian, apt-get install python3-venv" >&2; exit 1; }

# One stamp per set of extras, made anew when setup.cfg changes.
$(VENV)/.installed-%: setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing hairpin[$(subst +,$(comma),$*)] into $(VENV)" >&2
	@$(PIP) install --progress-bar on -e '.[$(subst +,$(comma),$*)]' >&2
	@touch $@
comma := ,

run: $(VENV)/.installed-all
	@exec $(BIN)/hairpin demo $(if $(LISTEN),--listen '$(LISTEN)') $(if $(SOURCE),--source '$(SOURCE)')

test: $(VENV)/.installed-all+test
	@$(BIN)/pytest

check: $(VENV)/.installed-all+test+check+interop+bench
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

interop: $(VENV)/.installed-all+test+interop
	@status=0; \
	$(BIN)/pytest -m "interop and not slow and not alone" -n 3 --dist loadfile tests/interop || status=1; \
	$(BIN)/pytest -m "interop and not slow and alone" tests/interop || status=1; \
	exit $$status

slow: $(VENV)/.installed-all+test+interop
	@$(BIN)/pytest -m slow --timeout 0

bench: $(VENV)/.installed-all+test+interop+bench
	@$(BIN)/python -m benchmarks

requirements: $(VENV)/.installed-all+test+interop
	@$(BIN)/python -m tests.requirements

clean:
	rm -rf $(VENV) build dist ./*.egg-info
