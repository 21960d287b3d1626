# Every target sets up what it needs: a bare clone, Python 3.11 to 3.13, make and gcc are enough.

# Without bytecode every process would compile Airflow, dbt and TensorFlow again, for seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
# A variable of this name in the environment may mean something else.
PROFILE := $(filter cluster,$(PROFILE))
UV_VERSION := 0.13.9

BIN := .venv/bin
UV := .venv-uv/bin/uv
READY := .venv/.ready
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --quiet \
    --no-emit-index-url --no-annotate --custom-compile-command 'make lock' $(UPGRADE)
# What PyTorch names and does not load without a GPU: a gigabyte of its four that `bench train` is spared.
NOT_FOR_TORCH_ON_A_CPU := triton nvidia-cusolver cuda-bindings cuda-pathfinder cuda-toolkit \
    nvidia-cuda-cccl nvidia-nvtx setuptools
PACKAGES := models pipelines ml expectations dags plugins tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint audit lock up down docs clean dag-times
.DELETE_ON_ERROR:

help: ## show what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(READY) ## run the daily chain for the newest session through Airflow and print what it made
	@exec $(BIN)/smartinvest daily

test: $(READY) ## run the default tests
	@exec $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test-long: $(READY) ## run every test, also those that take minutes
	@exec $(BIN)/python -m pytest -m "long or not long"

lint: $(READY) ## check style, types and Airflow idioms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Strict: a package that the database does not know, or cannot be asked about, is no good news.
audit: $(READY) ## look every locked package up among the known vulnerabilities; needs the network
	@exec $(BIN)/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict \
	    --progress-spinner off $(AUDIT)

lock: $(UV) ## bring the hashed lock files in line with pyproject.toml (UPGRADE=--upgrade for newer)
	$(COMPILE) --group dev --output-file requirements.lock pyproject.toml
	$(COMPILE) --output-file benchmarks/requirements-peers.lock benchmarks/requirements-peers.in
	$(COMPILE) --output-file benchmarks/requirements-portfolio.lock benchmarks/requirements-portfolio.in
	$(COMPILE) $(addprefix --no-emit-package ,$(NOT_FOR_TORCH_ON_A_CPU)) \
	    --output-file benchmarks/requirements-torch.lock benchmarks/requirements-torch.in
	echo 'uv==$(UV_VERSION)' | $(COMPILE) --output-file requirements-uv.lock -

# With PROFILE=cluster: every service of docker-compose.yml, with WORKERS=N workers.
up: $(READY) ## serve the Airflow and MLflow user interfaces in the background; PROFILE=cluster: all
	@exec $(BIN)/smartinvest $(PROFILE) up $(if $(PROFILE),$(addprefix --workers ,$(WORKERS)))

down: $(READY) ## end what `make up` started
	@exec $(BIN)/smartinvest $(PROFILE) down

docs: $(READY) ## write dbt's documentation and the DAG catalogue as pages, and say where
	@exec $(BIN)/smartinvest docs

dag-times: $(READY) ## print how long Airflow takes to parse each DAG file
	@exec $(BIN)/python tests/dags/parse_report.py --times

clean: ## remove the environment and every cache; running state (SMARTINVEST_HOME) stays
	rm -rf .venv .venv-uv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	rm -rf dbt/target dbt/logs
	find $(wildcard $(PACKAGES)) -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "PYTHON = '$(PYTHON)' is not Python 3.11, 3.12 or 3.13." \
	         "Name one that is: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv-uv
	.venv-uv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
	    --require-hashes --requirement requirements-uv.lock
	@touch $@

$(READY): $(UV) requirements.lock pyproject.toml
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv --without-pip .venv
	VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
