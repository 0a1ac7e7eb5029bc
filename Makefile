# Everything a developer does. A fresh machine needs Python 3.11 or newer and make; the rest is installed into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_ARGS ?=
TEST_ARGS ?= -n auto --dist loadfile
BENCH_ARGS ?=
TESTS ?=

# Puts what was compiled before the checkout, for whatever is started, from wherever. Benchmarks import each other by name.
ON_COMPILED := PYTHONSAFEPATH=1 PYTHONPATH=$(CURDIR)/build/compiled:$(CURDIR)/tests/bench

.DEFAULT_GOAL := help
.PHONY: help install compiled demo test test-compiled test-lowest check format protos docs envoy bench bench-limits test-limits fuzz soak lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 15

install: $(VENV)/.installed ## make .venv with what the lock names

$(VENV)/.installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

compiled: build/compiled/.built ## the package as the image has it, the way of a request compiled: in build/compiled

build/compiled/.built: $(VENV)/.installed deploy/compile.py $(shell find authz policies/shop envoy/sidecar.yaml -type f -not -name '*.pyc')
	rm -rf build/wheel
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/python -m hatchling build --target wheel --directory build/wheel
	rm -rf build/compiled
	$(BIN)/python -m zipfile --extract build/wheel/*.whl build/compiled
	@touch $@

demo: install ## an upstream, Valkey, the service and a real Envoy, with requests to paste
	$(BIN)/authz demo $(DEMO_ARGS)

test: install ## every test
	$(BIN)/python -m pytest $(TEST_ARGS)

test-compiled: compiled ## every test, or those named, on the compiled package (TESTS="tests/wire tests/engine")
	$(ON_COMPILED) $(BIN)/python -m authz --version | grep compiled
	$(ON_COMPILED) $(BIN)/python -m pytest $(TEST_ARGS) $(TESTS)

test-lowest: install ## the transport's tests on the lowest grpcio that pyproject.toml claims
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/grpcio-lowest grpcio==1.75.0
	PYTHONPATH=build/grpcio-lowest $(BIN)/python -m pytest tests/transport

check: install ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

protos: install ## generate authz/_pb from protos/
	$(BIN)/python protos/generate.py

docs: install ## write the generated references and the picture of the demo
	$(BIN)/python tests/docs/write.py

envoy: install ## write the configurations in envoy/
	$(BIN)/python tests/envoy/write.py

bench: install ## measure against baselines in the same run (BENCH_ARGS="--quick decision")
	$(BIN)/python tests/bench/run.py $(BENCH_ARGS)

bench-limits: install ## how exact limits are, on one Redis and a cluster; what outages cost; a decision with a limit
	$(BIN)/python tests/bench/limits.py
	$(BIN)/python tests/bench/limits.py --cluster
	$(BIN)/python tests/bench/limits.py --leased --processes 4
	$(BIN)/python tests/bench/limits_outages.py
	$(BIN)/python tests/bench/run.py limits

test-limits: install ## the limiter's own tests, on memory, Valkey, a cluster, sentinels, and Docker's Redis where it runs
	$(BIN)/python -m pytest tests/limits $(TEST_ARGS)

fuzz: install ## 100 000 mutated requests against both transports and an oracle
	$(BIN)/python tests/fuzz/fuzz.py --cases 100000

soak: install ## 1 000 000 calls with cancels, resets and garbage
	$(BIN)/python tests/bench/soak.py --calls 1000000

lock: install ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --universal --all-extras --group dev --generate-hashes --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

clean: ## remove .venv, what was built, and caches
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
