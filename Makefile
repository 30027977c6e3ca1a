# Everything a person needs: each target does all its own set-up.
.PHONY: demo check test lint bench chaos servers

CARGO ?= cargo

demo:
	@scripts/setup.sh demo
	@echo "[demo] building (the first time takes some minutes)"
	@$(CARGO) build --release --locked
	@target/release/hookbridge demo $(ARGS)

# What `make check` leaves to `make test`: areas of tests/it that need a browser, a cluster, a fuzzer or minutes.
SLOW := browser:: crawl:: fuzzed:: galera:: demo_data:: fleet:: instances:: overload:: pages::

check:
	@scripts/setup.sh test
	@$(CARGO) test --locked --quiet --lib
	@$(CARGO) test --locked --quiet --test it -- $(addprefix --skip ,$(SLOW))

test:
	@scripts/setup.sh test
	@echo "[test] stub (PHP)"
	@php tests/php/run.php
	@scripts/php-matrix.sh --vectors 7.2 8.5
	@echo "[test] service (Rust, MariaDB, PHP)"
	@$(CARGO) test --locked

lint:
	@scripts/setup.sh lint
	@$(CARGO) fmt --check
	@$(CARGO) clippy --locked --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items --quiet
	@$(CARGO) deny --log-level error check licenses bans sources
	@find php-hooks tests/php -name '*.php' -print0 | xargs -0 -n1 php -l >/dev/null && echo "[lint] PHP syntax is fine"

chaos:
	@scripts/setup.sh demo
	@echo "[chaos] building (the first time takes some minutes)"
	@$(CARGO) test --release --locked --test chaos -- --long $(ARGS)

servers:
	@scripts/setup.sh test
	@scripts/servers.sh $(ARGS)

bench:
	@scripts/setup.sh bench
	@echo "[bench] building (the first time takes some minutes)"
	@$(CARGO) bench --locked --bench road -- $(ARGS)

# The stub on PHP 7.2 to 8.5; outside CI, see php-hooks/README.md. ARGS="--vectors 7.2" for less.
.PHONY: php-matrix
php-matrix:
	@scripts/setup.sh test
	@scripts/php-matrix.sh $(ARGS)

# What the platform's own themes show of a refused upgrade; outside CI, see docs/HOOKS.md. ARGS=folder of clones.
.PHONY: themes
themes:
	@scripts/setup.sh test
	@scripts/themes.sh $(ARGS)

# Compares how phones are read with two other libraries; outside CI, see docs/PHONES.md.
.PHONY: differential
differential:
	@CARGO=$(CARGO) scripts/differential.sh

# A package for Debian and Ubuntu: target/debian/hookbridge_*.deb
.PHONY: deb
deb:
	@scripts/setup.sh deb
	@CARGO=$(CARGO) scripts/deb.sh

# What the program is made of (CycloneDX): target/sbom/hookbridge.cdx.json
.PHONY: sbom
sbom:
	@scripts/sbom.sh $(ARGS)
