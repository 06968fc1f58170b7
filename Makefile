# Each target makes the environment it needs. `make serve` and `make test` are all that a newcomer has to know.

PYTHON ?= python3
SERVE_VENV := .venv-serve
VENV := .venv
STAMP := .installed

.PHONY: help serve test test-train test-browser lint format typecheck check clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(SERVE_VENV)/$(STAMP) ## Install and serve the embedded model on http://localhost:5000.
	$(SERVE_VENV)/bin/lesionlens serve

test: $(VENV)/$(STAMP) ## Install and run the tests that need neither torch nor a browser.
	$(VENV)/bin/python -m pytest -m "not train and not browser" $(PYTEST_ARGS)

test-train: $(VENV)/$(STAMP)-train ## Install torch and run the training tests.
	$(VENV)/bin/python -m pytest -m train $(PYTEST_ARGS)

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

check: lint typecheck test test-train test-browser ## Everything that CI checks.

clean: ## Remove the environments and caches.
	rm -rf $(VENV) $(SERVE_VENV) .pytest_cache .mypy_cache .ruff_cache .coverage* htmlcov dist

$(SERVE_VENV)/$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(SERVE_VENV)
	$(SERVE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[evaluate,openvino,postgres,test]"
	touch $@

# torch comes first and by its exact version: whatever else is asked for then leaves its build (CPU or CUDA) alone.
$(VENV)/$(STAMP)-train: $(VENV)/$(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e ".[evaluate,openvino,test,train,test-train]"
	touch $@
