# Two commands for a fresh machine: `make demo` and `make test`. Everything else helps while working on the product.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

# Tests that need no quiet machine share it; real processes, and programs of others in real time, have it to themselves.
EVERY_CORE := -q -n auto --maxprocesses 8 --dist loadfile
ALONE := tests/processes tests/clients

.PHONY: demo test install look digest lock clean papers swarm model sweep mutate bugs validate bench-loop bench-stop stop-times bench-sim bench-encode fmt fuzz clients campaign

demo: $(VENV)/.installed
	@$(BIN)/stimloop demo

test: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(EVERY_CORE) tests/safety --cov=safety --cov-branch --cov-report=term-missing:skip-covered --cov-fail-under=100
	$(BIN)/pytest $(EVERY_CORE) $(patsubst %,--ignore=%,tests/safety $(ALONE))
	$(BIN)/pytest $(ALONE)

install: $(VENV)/.installed

# Exact versions with hashes first, then the checkout itself without asking anybody anything.
$(VENV)/.installed: requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed as '$(PYTHON)' (or: make PYTHON=python3.12 ...)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/.installed-fuzz: $(VENV)/.installed-test requirements-fuzz.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	@touch $@

# Every screen as a picture, in build/look/
look: $(VENV)/.installed
	$(BIN)/python -m controller.tui.look build/look

# After a change in safety/: the digest that the start-up self-test compares
digest: $(VENV)/.installed
	$(BIN)/python -m safety.digest --write

# The pages that are made from data: docs/HAZARDS.md, docs/SOUP.md
papers: $(VENV)/.installed
	$(BIN)/python -m controller.assembly.papers --write

# Coverage-guided fuzzing, SECONDS for each codec; what reaches new branches is kept in tests/data/corpus/
SECONDS ?= 120
fuzz: $(VENV)/.installed-fuzz
	$(BIN)/python -m tests.fuzz.run --seconds $(SECONDS)

# Other people's clients against our twins, over real terminals
clients: $(VENV)/.installed-test
	$(BIN)/pytest -q tests/clients

# Seeded fault mixes for every driver against its twin, on the virtual clock
SEEDS ?= 1000
campaign: $(VENV)/.installed-test
	$(BIN)/python -m tests.drivers.campaign --seeds $(SEEDS)

# Seeded worlds: patient, cables, devices, clocks, disk and computer from one number; checkers at skin and joint
SEEDS_FROM = $(if $(findstring ..,$(SEEDS)),$(SEEDS),1..$(SEEDS))
LENGTH ?= 30
JOBS ?= $(shell nproc)
swarm: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/python -m controller.assembly.swarm --seeds $(SEEDS_FROM) --length $(LENGTH) --jobs $(JOBS) \
	  --out build/swarm-$(LENGTH).jsonl

# Every word of keys, orders, silences and faults from every state of guard, gateway and session
DEPTH ?= 3
model: $(VENV)/.installed-test
	$(BIN)/python -m tests.model.run --depth $(DEPTH)

# The N-th call that fails, for every N that counts; processes killed at the same points; every way to stop
sweep: $(VENV)/.installed-test
	$(BIN)/python -m tests.sweeps.run --jobs $(JOBS)

# Small faults that the tests have to notice, all in the guard and nine of ten in the gateway; the ten deliberate bugs
mutate: $(VENV)/.installed-test
	$(BIN)/python -m tests.mutation.run --group safety --jobs $(JOBS)
	$(BIN)/python -m tests.mutation.run --group checker --jobs $(JOBS)
	$(BIN)/python -m tests.mutation.run --group gateway --jobs $(JOBS)
bugs: $(VENV)/.installed-test
	$(BIN)/python -m tests.bugs.run

# The scenario suite, with a report in build/
validate: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/stimloop validate --html build/validation.html --junit build/validation.xml

bench-loop: $(VENV)/.installed
	$(BIN)/stimloop bench loop --ui

# Stop times: TIMES faults of each kind, on real processes and on the virtual clock; the former resumes
TIMES ?= 100
bench-stop: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/stimloop bench stop --times $(TIMES) --jobs $(JOBS) --out build/stops.jsonl
stop-times: $(VENV)/.installed
	@mkdir -p build
	$(BIN)/python -m controller.assembly.stop_times --times 1000 --out build/stop-times.json

# The cost of encoding an update, beside science-mode-4 in the same run
bench-encode: $(VENV)/.installed-test
	$(BIN)/python -m tests.bench.encode

bench-sim: $(VENV)/.installed
	$(BIN)/stimloop bench sim

# New pins after a change of dependencies (index addresses are left out on purpose)
lock: $(VENV)/.installed-test
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	  --no-emit-find-links --no-header --allow-unsafe --output-file=requirements.lock pyproject.toml requirements.build.in
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host \
	  --no-emit-find-links --no-header --allow-unsafe --extra=test --output-file=requirements-test.lock \
	  --constraint=requirements.lock pyproject.toml requirements.build.in
	echo "atheris>=3,<4" | $(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url \
	  --no-emit-trusted-host --no-emit-find-links --no-header --allow-unsafe --output-file=requirements-fuzz.lock -

fmt: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
