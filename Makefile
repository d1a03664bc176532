# Tandem: what people type. `make` alone lists it.

.PHONY: help run page test test-packages clients lint explore bench bench-packages clean

help:
	@echo "make run     build the program and its page, and start a living demo on http://localhost:8080"
	@echo "make test    install the Debian packages that tests need, and run every check and test"
	@echo "make explore try what no run has tried: property tests and simulated days with seeds of their own"
	@echo "make bench   install the Debian packages that benchmarks need, measure, write target/bench.json"

# Needs Rust, a C compiler and Node.js; installs nothing on the machine.
run: page
	cargo run --release --locked --package tandem -- demo

page: web/dist/index.html

web/dist/index.html: $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
	@command -v npm >/dev/null || { echo "make run needs Node.js 20 or later with npm: https://nodejs.org"; exit 1; }
	cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	@touch $@

# The same inputs each time: what passed here passes on the next machine. `make explore` draws others.
test: export PROPTEST_RNG_SEED ?= 20260101
test: test-packages clients page lint
	cd web && npm run --silent check
	cargo test --workspace --locked

# Microsoft's own client libraries, against which the simulated Entra ID and Graph are held.
clients: tests/microsoft/node_modules/.package-lock.json

tests/microsoft/node_modules/.package-lock.json: tests/microsoft/package-lock.json
	@command -v npm >/dev/null || { echo "make test needs Node.js 20 or later with npm: https://nodejs.org"; exit 1; }
	cd tests/microsoft && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test-packages:
	scripts/install-packages.sh test

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo xtask dependencies
	cargo xtask house
	cargo xtask configuration --check

explore: export PROPTEST_CASES ?= 1000
explore:
	cargo test --workspace --exclude tandem --locked
	cargo xtask sim --start $$(date +%s) --seeds 20000

bench: page bench-packages
	cargo build --release --locked --package tandem
	bench/run

bench-packages:
	scripts/install-packages.sh bench

clean:
	cargo clean
	rm -rf web/dist web/node_modules tests/microsoft/node_modules
