# Each target makes the environment it needs. `make serve` and `make test` are all that a newcomer has to know.

PYTHON ?= python3
SERVE_VENV := .venv-serve
VENV := .venv
STAMP := .installed

.PHONY: help serve test test-train test-quantise test-ray test-browser lint format typecheck check bench bench-full bench-engines endurance fuzz audit sbom clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(SERVE_VENV)/$(STAMP) ## Install and serve the embedded model on http://localhost:5000.
	$(SERVE_VENV)/bin/lesionlens serve

test: $(VENV)/$(STAMP) ## Install and run the tests that need neither torch nor a browser.
	$(VENV)/bin/python -m pytest -m "not train and not browser and not ray" $(PYTEST_ARGS)

test-train: $(VENV)/$(STAMP)-train ## Install torch and run the training tests.
	$(VENV)/bin/python -m pytest -m "train and not ray" $(PYTEST_ARGS)

test-quantise: $(VENV)/$(STAMP)-train ## Run the tests of int8 bundles.
	$(VENV)/bin/python -m pytest tests/quantise tests/inference $(PYTEST_ARGS)

test-ray: $(VENV)/$(STAMP)-ray ## Install Ray and run the tests on a cluster of this machine.
	$(VENV)/bin/python -m pytest -m ray tests/scale $(PYTEST_ARGS)

test-browser: $(VENV)/$(STAMP) ## Drive the page in a real Chromium (/usr/bin/chromium or CHROMIUM).
	$(VENV)/bin/python -m pytest -m browser $(PYTEST_ARGS)

lint: $(VENV)/$(STAMP) ## Check format and lint.
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

format: $(VENV)/$(STAMP) ## Format the code and mend what can be mended.
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

typecheck: $(VENV)/$(STAMP)-train ## Check the types (strict).
	$(VENV)/bin/mypy

check: lint typecheck test test-train test-quantise test-ray test-browser ## Everything that CI checks.

bench: $(VENV)/$(STAMP)-bench ## Measure the service against a direct implementation (under 5 minutes, on an idle machine).
	$(VENV)/bin/python benchmarks/speed $(BENCH_ARGS)

bench-full: $(VENV)/$(STAMP)-bench ## The same with more rounds (20 minutes), into docs/performance.md.
	$(VENV)/bin/python benchmarks/speed --full --document docs/performance.md $(BENCH_ARGS)

bench-engines: $(VENV)/$(STAMP)-bench ## Measure engines, precisions, threads and batches, and the processor's floor.
	$(VENV)/bin/python benchmarks/engines
	$(VENV)/bin/python benchmarks/floor.py

endurance: $(VENV)/$(STAMP) ## Load a real service for a long time: right answers, bounded latency, steady memory.
	$(VENV)/bin/python benchmarks/endurance.py --clients 64 --seconds 300 --requests 20000

fuzz: $(VENV)/$(STAMP) ## Throw 100,000 damaged pictures at the decoder (FUZZ_ARGS for other targets and ranges).
	PYTHONPATH=tests $(VENV)/bin/python -m fuzz $(FUZZ_ARGS)

audit: $(VENV)/$(STAMP)-audit ## Look for vulnerabilities in the code and its packages (exit 3: nobody could be asked).
	$(VENV)/bin/python -m tools.audit $(AUDIT_ARGS)

sbom: $(VENV)/$(STAMP)-audit ## Write what the serving install is made of (CycloneDX JSON).
	$(VENV)/bin/python -m tools.sbom dist/lesionlens.cdx.json

clean: ## Remove the environments and caches.
	rm -rf $(VENV) $(SERVE_VENV) .pytest_cache .mypy_cache .ruff_cache .coverage* htmlcov dist

$(SERVE_VENV)/$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(SERVE_VENV)
	$(SERVE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[evaluate,openvino,otel,postgres,redis,test]"
	touch $@

# torch comes first and by its exact version: whatever else is asked for then leaves its build (CPU or CUDA) alone.
$(VENV)/$(STAMP)-train: $(VENV)/$(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[evaluate,openvino,otel,test,train,test-train]"
	touch $@

$(VENV)/$(STAMP)-bench: $(VENV)/$(STAMP)-train
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@

$(VENV)/$(STAMP)-audit: $(VENV)/$(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[evaluate,openvino,postgres,test,audit]"
	touch $@

$(VENV)/$(STAMP)-ray: $(VENV)/$(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[ray,s3]"
	touch $@
