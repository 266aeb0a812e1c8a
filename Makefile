# Every verb of the project. CONTRIBUTING.md explains them.

SWIFT ?= swift
SEED ?= 1
COUNT ?= 1000
TARGET ?= packets
MINUTES ?= 10
MTU ?= 1500
FIGURES ?= out/figures
ANALYSIS = .build/analysis

.PHONY: build test scenarios sim fuzz bench bench-migration bench-barrier soak lint format docs interop compliance sanitize weaknesses dissector examples figures test-analysis experiments-check experiments-real check

build:
	$(SWIFT) build -c release

test:
	$(SWIFT) test

# Moves of real processes in network namespaces, one after the other; for root, on an idle machine.
scenarios:
	$(SWIFT) build -c release --product mhq
	scripts/interop/move.py $(MOVE)

sim:
	$(SWIFT) build -c release --product mhq
	.build/release/mhq simulate --seed $(SEED) --count $(COUNT)

fuzz:
	scripts/fuzz.sh $(TARGET) $(MINUTES)

bench:
	scripts/bench.sh $(MTU)

bench-migration:
	$(SWIFT) build -c release --product mhq
	.build/release/mhq bench-migration --seed $(SEED) $(if $(filter-out 0,$(QUICK)),--quick)

bench-barrier:
	scripts/barrier.sh

soak:
	scripts/soak.sh $(MINUTES)

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests Examples Fuzz/Sources
	python3 scripts/house.py

format:
	$(SWIFT) format -i -r Package.swift Sources Tests Examples Fuzz/Sources

docs:
	scripts/docs.sh

interop:
	$(SWIFT) build -c release --product mhq
	scripts/install-peers.sh
	scripts/interop.sh $(INTEROP)

compliance:
	python3 scripts/compliance.py

sanitize:
	scripts/sanitize.sh thread
	scripts/sanitize.sh address

weaknesses:
	python3 scripts/weaknesses.py

dissector:
	python3 scripts/dissector.py

examples:
	$(SWIFT) build --package-path Examples --scratch-path .build/examples

# Python packages of their own, made on first use and again when the pinned versions change.
$(ANALYSIS)/ready: Analysis/requirements.txt
	python3 -m venv --clear $(ANALYSIS)
	$(ANALYSIS)/bin/pip install --quiet --disable-pip-version-check --requirement Analysis/requirements.txt
	touch $@

figures: $(ANALYSIS)/ready
	@test -n "$(RESULTS)" || { echo "make figures RESULTS=DIR: which results?" >&2; exit 64; }
	PYTHONPATH=Analysis $(ANALYSIS)/bin/python -m godwit_analysis $(RESULTS) --out $(FIGURES)

test-analysis: $(ANALYSIS)/ready
	PYTHONPATH=Analysis $(ANALYSIS)/bin/python -m unittest discover -s Analysis/tests

# QUICK=1 for fewer repetitions, LONG=1 for experiment 4 in full as well; CHECK takes further options.
experiments-check: $(ANALYSIS)/ready
	$(SWIFT) build -c release --product mhq
	PYTHONPATH=Analysis $(ANALYSIS)/bin/python -m godwit_analysis.check \
		$(if $(filter-out 0,$(QUICK)),--quick) $(if $(filter-out 0,$(LONG)),--long) $(CHECK)

# Real processes, for root and on a calm machine: CHECK=--recipe says which calls and how long.
experiments-real: $(ANALYSIS)/ready
	@test -n "$(RESULTS)" || { echo "make experiments-real RESULTS=DIR: where do results go?" >&2; exit 64; }
	$(SWIFT) build -c release --product mhq
	PYTHONPATH=Analysis $(ANALYSIS)/bin/python -m godwit_analysis.check --real --out $(RESULTS) $(CHECK)

# The analysis says when it is skipped, for want of Python or of PyPI.
check: lint build test compliance weaknesses dissector examples
	scripts/test-analysis.sh
