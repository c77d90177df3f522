# The two commands are `make bench` and `make test`; both set up what they need first. BOARD is a row
# of host/boards/boards.toml.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
BOARD ?= qemu_an500
# How to run the image of a real board without it: qemu or renode.
EMULATOR ?=
# Which board, where two alike are attached: its serial port, or its probe's serial number.
PORT ?=
SERIAL ?=
WHERE = --board $(BOARD)$(if $(PORT), --port $(PORT))$(if $(SERIAL), --serial $(SERIAL))
# What the image is made of (docs/mlperf-tiny.md, docs/engines.md), and the network that is linked
# into it, with its data.
PROTOCOL ?=
ENGINE ?=
MODEL ?=
DATA ?=
IMAGE = $(if $(MODEL), --model $(MODEL))$(if $(PROTOCOL), --protocol $(PROTOCOL)) \
        $(if $(ENGINE), --engine $(ENGINE))
PYTHON ?= python3
# SYSTEM=no: set-up leaves all but this checkout alone, and names what is missing, with the command
# that installs it.
SYSTEM ?= yes
ifneq ($(filter-out yes no,$(SYSTEM)),)
$(error SYSTEM=$(SYSTEM): yes or no)
endif
BOOTSTRAP := $(PYTHON) -m tinyrobust.host.setup $(if $(filter no,$(SYSTEM)),--no-system)
BIN := .venv/bin
# The rest of what `run` is told.
RUN = $(if $(DATA), --data $(DATA))$(if $(EMULATOR), --emulator $(EMULATOR)) \
      $(if $(ATTACKS), --attacks $(ATTACKS))
# QEMU's model of an STM32 is younger than that of the other boards.
NEWER_QEMU = $(if $(filter qemu_l475 qemu,$(BOARD) $(EMULATOR)),stm32)

.PHONY: setup bench flash test test-unit test-deep mutants lint perf lock clean

setup:
	@$(BOOTSTRAP)

# `make flash bench BOARD=...` flashes first: both are goals of one make, in this order.
bench: $(filter flash,$(MAKECMDGOALS))
	@$(BOOTSTRAP) --for $(if $(filter native,$(BOARD)),native,arm $(NEWER_QEMU))
	@$(BIN)/tinyrobust run $(WHERE)$(IMAGE)$(RUN)

flash:
	@$(BOOTSTRAP) --for arm probe
	@$(BIN)/tinyrobust flash $(WHERE)$(IMAGE)

# A process on each core, four at most for the sake of memory; one that has nothing left takes half
# of another's rest.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

test: lint
	@$(PYTEST) -m "not deep"

test-deep: setup
	@$(PYTEST) -m deep

test-unit: setup
	@$(PYTEST) tests/unit -m "not slow and not deep"

# What no test notices when a line is changed: PART is one of tests/mutation/table.py, SAMPLE 0 takes every mutant.
PART ?=
SAMPLE ?=
mutants: setup .mutants-venv/made
	@nice $(BIN)/python -m tests.mutation.run $(PART) $(if $(SAMPLE),--sample $(SAMPLE))

.mutants-venv/made: requirements-mutants.lock
	@$(BIN)/python -m venv --clear .mutants-venv
	@.mutants-venv/bin/python -m pip install --quiet --no-deps --require-hashes -r $<
	@touch $@

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tinyrobust.core.abi.headers --check
	@$(BIN)/clang-format --dry-run -Werror \
	  $$(git ls-files 'firmware/*.cc' 'firmware/*.h' 'firmware/*.c' 'tests/*.cc' 'tests/*.h')

perf: setup
	@$(BIN)/python -m tinyrobust.host.perf

# Renews all locks to the newest versions; needs uv on the path.
UV_COMPILE := uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.10 \
              --no-annotate --no-header --no-emit-index-url --no-emit-find-links
lock:
	@$(UV_COMPILE) pyproject.toml --extra dev \
	  | cat <(sed 1q requirements.lock) - > requirements.lock.new
	@printf 'platformio==6.2.0\nscons==4.11.1\n' | $(UV_COMPILE) - \
	  | cat <(sed 1q requirements-pio.lock) - > requirements-pio.lock.new
	@printf 'robotframework==6.1\npsutil<6\npyyaml\n' | $(UV_COMPILE) - \
	  | cat <(sed 1q renode/robot.lock) - > renode/robot.lock.new
	@printf 'cosmic-ray==8.7.0\n' | $(UV_COMPILE) - \
	  | cat <(sed 1q requirements-mutants.lock) - > requirements-mutants.lock.new
	@mv requirements.lock.new requirements.lock
	@mv requirements-pio.lock.new requirements-pio.lock
	@mv renode/robot.lock.new renode/robot.lock
	@mv requirements-mutants.lock.new requirements-mutants.lock

clean:
	@rm -rf build .pio/build* .pio/cache .pio/unfinished
