# Every target does its own set-up: a machine with Python 3.11 or newer and make is enough.
# Stamp files inside .tools and .venv remember what is done, so that a second run starts at once.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help dev demo test bench check format reference lock upgrade clean chromium pgbouncer

NAME ?=
ARGS ?=

UV := .tools/uv/bin/uv
BIN := .venv/bin
# uv must neither look for another Python on the network nor obey an index configured on this machine's user level.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1

help:
	@echo "make demo               connect a creator, send events, attack it; each step printed with its result"
	@echo "make dev                sandbox, gateway and example app on this machine, to click through"
	@echo "make test [ARGS=...]    all tests; ARGS goes to pytest"
	@echo "make bench [NAME=start] one benchmark (ARGS=... for what it can vary), or all of them, as JSON lines"
	@echo "make check              lint, format, types, import contracts, lock files, known vulnerabilities"
	@echo "make format             rewrite the source files the way make check wants them"
	@echo "make reference          remake the pages of docs/reference that follow from the code"
	@echo "make lock               remake requirements/*.txt and the lock file of tests/node after a change"
	@echo "make upgrade            remake them with the newest versions"
	@echo "make clean              remove everything that these targets made"

demo: .venv/.base
	@$(BIN)/fankeep demo $(ARGS)

dev: .venv/.base
	@$(BIN)/fankeep dev --run examples/dashboard/app.py $(ARGS)

test: .venv/.dev .venv/.node chromium pgbouncer
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: .venv/.dev
	@$(BIN)/python -m $(if $(ARGS),bench.$(NAME) $(ARGS),bench $(NAME))

check: .venv/.dev
	@$(BIN)/python scripts/check.py

format: .venv/.dev
	@$(BIN)/ruff check --fix --quiet --exit-zero .
	@$(BIN)/ruff format .

reference: .venv/.dev
	@$(BIN)/python scripts/reference.py

chromium:
	@scripts/chromium

pgbouncer:
	@scripts/pgbouncer

lock: .tools/.uv
	@UV=$(UV) scripts/lock
	@$(MAKE) --no-print-directory .venv/.dev
	@scripts/node lock

upgrade: .tools/.uv
	@UV=$(UV) scripts/lock --upgrade

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache artifacts .fankeep/dev \
		tests/node/node_modules

# The tools venv is only uv, from the same package index that pip uses, checked against the hashes in the file.
.tools/.uv: requirements/tools.txt
	@python=$$(scripts/find-python) && \
	if ! "$$python" -m pip --version >/dev/null 2>&1; then \
		echo "make: $$python has no pip: install it (on Debian and Ubuntu: apt-get install python3-pip)" >&2; exit 2; \
	fi && \
	echo "setting up: uv" && \
	rm -rf .tools/uv && \
	"$$python" -m pip install -qq --disable-pip-version-check --root-user-action=ignore --no-warn-script-location --require-hashes \
		--target .tools/uv -r requirements/tools.txt && \
	touch $@

.venv/.made: .tools/.uv
	@python=$$(scripts/find-python) && \
	echo "setting up: .venv" && \
	$(UV) venv --quiet --allow-existing --python "$$python" .venv && \
	touch $@

# What fankeep needs to run. Adds, and removes nothing: a .venv that is set up for tests stays so.
.venv/.base: .venv/.made requirements/base.txt requirements/build.txt pyproject.toml
	@echo "setting up: fankeep"
	@$(UV) pip install --quiet --python .venv --require-hashes --compile-bytecode \
		-r requirements/base.txt -r requirements/build.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

# What tests, benchmarks and checks need beside it; exactly these packages and no others.
.venv/.dev: .venv/.made requirements/dev.txt pyproject.toml
	@echo "setting up: fankeep and its test tools"
	@$(UV) pip sync --quiet --python .venv --require-hashes --compile-bytecode requirements/dev.txt
	@$(UV) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch .venv/.base $@

# What tests need from npm. Without it only those tests fail, so a failure here leaves no stamp and stops nothing.
.venv/.node: tests/node/package.json tests/node/package-lock.json | .venv/.dev
	@scripts/node
