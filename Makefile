# Every verb of the project. CONTRIBUTING.md explains them.

SWIFT ?= swift
SEED ?= 1
COUNT ?= 1000
TARGET ?= packets
MINUTES ?= 10
MTU ?= 1500

.PHONY: build test sim fuzz bench bench-migration soak lint format docs interop compliance sanitize weaknesses dissector examples check

build:
	$(SWIFT) build -c release

test:
	$(SWIFT) test

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

check: lint build test compliance weaknesses dissector examples
