# The only entry point: people and CI run the same targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export CARGO_TERM_COLOR ?= never
# Queries are checked against the committed data in .sqlx, whatever database the environment names.
export SQLX_OFFLINE := true
OUT ?= demo-out
BIN := target/debug/tallystick

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

.PHONY: demo
demo: ## an agency's month, end to end, on this machine: invoices and reports in demo-out
	@.ci/setup run
	cargo build --locked -p tallystick
	$(BIN) demo --out $(OUT)

.PHONY: up
up: ## proxy, projector and reporting in one process on 127.0.0.1:8080
	@.ci/setup run
	cargo build --locked -p tallystick
	$(BIN) up

.PHONY: test
test: ## every test; sets up what is missing
	@.ci/setup test
	cargo build --locked --workspace --all-targets
	cargo test --locked --workspace --no-fail-fast

.PHONY: check
check: ## format, lints, licences, structure, generated files, migrations
	@.ci/setup test
	cargo fmt --all --check
	.ci/structure
	.ci/licences
	.ci/migrations
	cargo clippy --locked --workspace --all-targets -- -D warnings
	.ci/sqlx --check

.PHONY: bench
bench: ## the benchmarks, one table at the end
	@.ci/setup run
	cargo build --locked --release -p tallystick -p tallystick-tests --bins
	target/release/bench

.PHONY: soak
soak: ## the long campaigns in full: 100 kill cycles, a million fuzz inputs
	@.ci/setup test
	cargo build --locked --workspace --all-targets
	TALLYSTICK_SOAK=full cargo test --locked -p tallystick-tests -- --nocapture --test-threads 1

.PHONY: sqlx
sqlx: ## write the committed query data (.sqlx) anew
	@.ci/setup run
	.ci/sqlx

.PHONY: contracts
contracts: ## write the generated contracts (JSON Schemas, golden examples, OpenAPI, the documents' tables) anew
	UPDATE=1 cargo test --locked -p tallystick-schemas
	UPDATE=1 cargo test --locked -p tallystick-reporting openapi
	UPDATE=1 cargo test --locked -p tallystick-tests --test docs generated
