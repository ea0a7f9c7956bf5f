# Every target installs what it needs first (`setup`), so any of them works on a fresh clone.
# What is built lies in one folder that scripts/env.sh names: $CARGO_TARGET_DIR if it is set, else
# ~/.cache/aria/target. There is one profile, --release: a second one would build everything twice.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The environment of every recipe, and the functions `step` and `fail`.
ENV := . scripts/env.sh;
CARGO_FLAGS := --release --locked --workspace
once := $(if $(filter-out 0 no,$(ONCE)),--once)

.PHONY: help
help: ## this list
	@printf 'make TARGET, where TARGET is one of:\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install what is missing: packages, Rust, the wasm target
	@scripts/setup.sh

# `--examples` is there for the features: it makes cargo unify those of the dev-dependencies, as
# `cargo test` does, so that the tests reuse every dependency that this built.
.PHONY: build
build: setup ## build every binary
	@$(ENV) step "build: cargo build, into $$CARGO_TARGET_DIR"; \
	cargo build $(CARGO_FLAGS) --bins --examples || \
		fail "The build failed: the compiler's errors are above."

.PHONY: demo
demo: build ## run a dev chain and show what it does; ONCE=1 ends after one round
	@$(ENV) step "demo"; \
	"$$CARGO_TARGET_DIR/release/aria-demo" $(once) $(ARGS)

.PHONY: test
test: build ## formatting, the Rust tests, the clients' tests
	@scripts/test.sh
	@scripts/test-clients.sh
	@scripts/test-openai.sh

.PHONY: test-all
test-all: test lint neon zombienet ## test, lint, neon, zombienet, each benchmark once, the long tests
	@scripts/weights.sh --check
	@scripts/test.sh --ignored
	@scripts/test-openai.sh --others

.PHONY: neon
neon: setup ## the engine's NEON kernels under qemu; skipped where it is not to be had
	@scripts/test-neon.sh

.PHONY: zombienet
zombienet: build ## four validators, one of which is restarted
	@scripts/zombienet.sh

.PHONY: lint
lint: build ## clippy, and the rules of deny.toml
	@scripts/lint.sh

.PHONY: rehearse
rehearse: build ## upgrade a chain of the previous runtime to this one, with all checks
	@scripts/rehearse-upgrade.sh

.PHONY: weights
weights: setup ## run the benchmarks and write the pallets' weights
	@scripts/weights.sh

.PHONY: bench
bench: build ## settled records a second, and the heaviest block
	@scripts/bench.sh

.PHONY: bench-serving
bench-serving: build ## three workers: tokens/s, cost of records, delays, 50 clients; minutes
	@scripts/bench-serving.sh $(ARGS)

.PHONY: bench-trust
bench-trust: build ## what audits cost, and a search among a million records; a quarter of an hour
	@scripts/bench-trust.sh $(ARGS)

# Alone, for it needs neither the node nor the runtime. ARGS stands for all arguments:
# ARGS='--help', or ARGS='--scenario fast --years 40 --out /tmp/fast'.
.PHONY: economics
economics: setup ## simulate ten years: tables, plots and numbers of docs/economics.md; minutes
	@$(ENV) step "economics"; \
	cargo run --release --locked -p aria-simulations --bin aria-economics -- \
		$(or $(ARGS),--out docs/economics --document docs/economics.md) || \
		fail "The simulation did not end well: its last lines above say why."

.PHONY: attacks
attacks: setup ## play attacks on the protocol: tables and plot of docs/security.md; minutes
	@$(ENV) step "attacks"; \
	cargo run --release --locked -p aria-simulations --bin aria-attacks -- \
		$(or $(ARGS),--out docs/security --document docs/security.md) || \
		fail "The attacks did not end well: their last lines above say why."

.PHONY: clean
clean: ## remove what was built
	@$(ENV) step "clean: $$CARGO_TARGET_DIR"; \
	cargo clean
