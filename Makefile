# Esplanade. "make help" lists the targets; each is a line or two of go commands that can be run by hand as well.

SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

GO ?= go

# The other systems that the code must vet on, and the packages that have files of their own for a system. The others are
# the same everywhere, and are built for each system as what these import.
CROSS ?= darwin freebsd openbsd
CROSS_PACKAGES ?= ./bench/... ./cmd/... ./config/... ./dataplane/... ./ike/pki/... ./integration/... ./tun/...

# How long `make fuzz` stays with each fuzz target.
FUZZTIME ?= 10s

# A package that takes longer hangs: go test then prints what every goroutine was doing.
UNIT_TIMEOUT ?= 12m
INTEGRATION_TIMEOUT ?= 25m

# Integration tests that run at once. They wait much more than they compute.
INTEGRATION_PARALLEL ?= 8

# More flags for the integration tests: make integration ARGS='-run TestNAT -v'
ARGS ?=

# The race detector needs a C compiler.
RACE ?= $(shell command -v cc gcc clang >/dev/null 2>&1 && echo -race)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: build
build: ## Build the binary: ./esplanade
	$(GO) build -trimpath -o esplanade ./cmd/esplanade

# deps comes first and by a make of its own, so that RACE sees the compiler it may have installed.
.PHONY: test
test: ## Run every check: vet (all systems), linters, race tests, integration tests with real peers
	@$(MAKE) deps
	@$(MAKE) vet lint cross race seeds integration

.PHONY: deps
deps: ## Install the Debian packages of the tests' peers if this is root on Debian, else say what that means
	@sh integration/deps/prepare

.PHONY: vet
vet: ## Vet for this system
	$(GO) vet ./...

.PHONY: cross
cross: ## Vet for the other systems the packages that have files of their own for a system
	@for os in $(CROSS); do echo "GOOS=$$os $(GO) vet $(CROSS_PACKAGES)"; CGO_ENABLED=0 GOOS=$$os $(GO) vet $(CROSS_PACKAGES); done

.PHONY: race
race: ## All tests but those with real peers, with the race detector if there is a C compiler
	@test -n "$(RACE)" || echo "NO RACE DETECTOR: there is no C compiler" >&2
	$(GO) test $(RACE) -timeout $(UNIT_TIMEOUT) $$($(GO) list ./... | grep -v '/integration$$')

# The packages and names of the tests that do less with the race detector, or nothing. A test in integration/gates wants
# each of them here.
SEEDED ?= ./bench/netstack ./dataplane ./ike ./ike/gateway ./ike/sim ./tun
SEEDED_TESTS ?= ^Test(Seeds|ThousandSAs|.*AgainstReference|ForgedRequestAllocates|NetstackAllocates|NetstackMeasure|RefusalsInAll|Insiders|PeerRestartsWhatIsClosed|CrossingStarts.*)$$

# Where the seeds of the simulator begin. Each commit plays another four thousand of the first 100,000, all of which have been played
# without a fault since the simulator was changed last; a seed that has found a fault is a case by itself in ike/sim.
SEEDS_FROM ?= $(shell commit=$$(git rev-parse --short=7 HEAD 2>/dev/null || echo 0); echo $$((0x$$commit % 96000 + 1)))

.PHONY: seeds
seeds: ## Randomized tests with their full set of seeds, without the race detector; SEEDS_FROM says from where
	@echo "seeds from $(SEEDS_FROM)"
	ESPLANADE_SEEDS_FROM=$(SEEDS_FROM) $(GO) test -count 1 -timeout $(UNIT_TIMEOUT) -run '$(SEEDED_TESTS)' $(SEEDED)

.PHONY: integration
integration: ## The tests with real peers; those that this machine cannot run are skipped with a reason
	ESPLANADE_INTEGRATION=$$(sh integration/deps/prepare --mode) ESPLANADE_INTEGRATION_RACE=$(RACE) \
	    $(GO) test -timeout $(INTEGRATION_TIMEOUT) -parallel $(INTEGRATION_PARALLEL) -count 1 $(ARGS) ./integration

.PHONY: quick
quick: ## All tests but those with real peers, without the race detector
	$(GO) test $$($(GO) list ./... | grep -v '/integration$$')

.PHONY: fuzz
fuzz: ## Every fuzz target for FUZZTIME (10s)
	@for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
	    for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$dir/*_test.go); do \
	        echo "$$dir $$target"; \
	        $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir; \
	    done; \
	done

.PHONY: bench
bench: ## Measure side by side with other gateways, throughput and handshakes, as root on Linux (see bench/)
	$(GO) run ./bench sidebyside $(ARGS)
	$(GO) run ./bench handshake -n 4000 --runs 5

.PHONY: soak
soak: ## Ten minutes at work, and rekeying under load, each with what is asked of it, as root on Linux (see bench/)
	$(GO) run ./bench soak $(ARGS)
	$(GO) run ./bench rekey

.PHONY: demo
demo: ## A tunnel at work: two gateways in one process, no root, no set-up
	$(GO) run ./cmd/esplanade demo

.PHONY: cover
cover: ## Coverage of the tests without peers: coverage.out, and the total
	$(GO) test -coverprofile coverage.out -coverpkg ./... $$($(GO) list ./... | grep -v '/integration')
	@$(GO) tool cover -func coverage.out | tail -1

# Which mutants: make mutants MUTANTS='-run resume'
MUTANTS ?=

.PHONY: mutants
mutants: ## Break one line that matters after the other, and see that a test notices each (see CONTRIBUTING.md)
	$(GO) run ./integration/mutants $(MUTANTS)

.PHONY: fmt
fmt: ## Format the code
	gofmt -s -w $$(git ls-files '*.go')

.PHONY: lint
lint: ## staticcheck, exhaustive, sloglint and govulncheck, each in a pinned version; one that cannot be fetched is said
	@GO="$(GO)" sh integration/lint/run

.PHONY: clean
clean: ## Remove what was built
	rm -f esplanade coverage.out
	$(GO) clean -testcache
