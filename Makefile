# Everything a machine needs is Python 3.11+, Node 20+ and npm; nothing is installed outside this folder.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# an index that is slow to answer is no reason to give up
PATIENT := --retries 10 --timeout 60
FILE   ?= examples/ledger/migration.yaml
ARGS   ?=

SEED   ?= $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')

.PHONY: rehearse setup test torture soak plots lint types contract check-docs lock clean

rehearse: $(VENV)/rehearsal.stamp        ## the main job: a whole migration on this computer
	@$(BIN)/crossfade rehearse $(FILE) $(ARGS)

setup: $(VENV)/test.stamp                ## .venv with everything, every extra included

test: setup                              ## every check, in one command
	@$(BIN)/python -m tests

torture: setup                           ## every fault at every place, on real parts; about an hour
	@$(BIN)/python -m tests.torture $(ARGS)

soak: setup                              ## 200,000 simulated migrations; SEED=1 for those of that seed
	@seed=$(SEED); echo "seed $$seed"; $(BIN)/crossfade simulate --runs 200000 --seed $$seed $(ARGS)

plots: setup                             ## the judge's page of measurements, from benchmarks/results
	@$(BIN)/python -m benchmarks.plots

lock:                                    ## pin anew, with hashes and without index addresses
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 pyproject.toml requirements/build.in -o requirements/rehearsal.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra aws --extra facade --extra planning --extra simulation --extra test -c requirements/rehearsal.txt pyproject.toml requirements/build.in -o requirements/test.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 -c requirements/test.txt requirements/benchmarks.in -o requirements/benchmarks.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 requirements/ministack.in -o requirements/ministack.txt
	npm install --ignore-scripts --package-lock-only --omit-lockfile-registry-resolved

clean:                                   ## forget the environment and every rehearsal
	rm -rf $(VENV) node_modules .crossfade

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \"Crossfade needs Python 3.11 or newer; say: make PYTHON=python3.11\")"
	$(PYTHON) -m venv $(VENV)

$(VENV)/rehearsal.stamp: $(VENV)/bin/python requirements/rehearsal.txt package-lock.json pyproject.toml
	@echo "Installing what the rehearsal needs (once, about a minute) …"
	@$(BIN)/python -m pip install $(PATIENT) --quiet --disable-pip-version-check --require-hashes -r requirements/rehearsal.txt
	@$(BIN)/python -m pip install $(PATIENT) --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@npm ci --fetch-retries=5 --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/test.stamp: $(VENV)/rehearsal.stamp requirements/test.txt requirements/ministack.txt
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install $(PATIENT) --quiet --disable-pip-version-check --require-hashes -r requirements/test.txt
	@$(BIN)/python -m venv $(VENV)/ministack
	@$(VENV)/ministack/bin/python -m pip install $(PATIENT) --quiet --disable-pip-version-check --require-hashes -r requirements/ministack.txt
	@touch $@
