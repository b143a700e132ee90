# The text after ## is the help text of a target. `make help` prints them.

# Use the toolchain that go.mod names, even if an older Go is installed with GOTOOLCHAIN=local.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)

VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE      ?= limpet:$(VERSION)
TEST_FLAGS ?=
PKG        ?= ./...
FUZZTIME   ?= 20s
STORMS     ?= 60
BENCHTIME  ?= 1s
BENCH_FLAGS ?=
PROSE_FLAGS ?=
ATTACK_FLAGS ?=
SCALE_FLAGS ?=
SCENARIO   ?=
SUBJECT    ?=
STAY_FLAGS ?=

# The pinned tools and the control plane are built when a target first needs them.
controller-gen = $(shell hack/tools/build.sh controller-gen)
golangci-lint  = $(shell hack/tools/build.sh golangci-lint)
govulncheck    = $(shell hack/tools/build.sh govulncheck)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: PKG=$(PKG) TEST_FLAGS= FUZZTIME=$(FUZZTIME) STORMS=$(STORMS) BENCHTIME=$(BENCHTIME) BENCH_FLAGS= SCALE_FLAGS= SCENARIO= SUBJECT= STAY_FLAGS= ATTACK_FLAGS= PROSE_FLAGS= IMAGE=$(IMAGE)"

##@ Use

.PHONY: demo
demo: ## Run limpet with sample manifests and three sample pods, no cluster needed
	go run -ldflags "-X main.version=$(VERSION)" ./cmd/limpet demo

.PHONY: build
build: ## Build bin/limpet
	VERSION=$(VERSION) hack/build.sh bin/limpet

.PHONY: image
image: ## Build the container image with docker, podman or buildah, otherwise as an archive in dist/
	VERSION=$(VERSION) hack/image.sh $(IMAGE)

.PHONY: cluster
cluster: ## Start Kubernetes with one real node on this machine (needs root; names missing Debian packages)
	hack/cluster/up.sh

.PHONY: load
load: ## Load the image and the sample app of test/cart into the node of make cluster
	VERSION=$(VERSION) hack/load.sh $(IMAGE)

.PHONY: cluster-down
cluster-down: ## Stop the cluster of make cluster and remove all of it
	hack/cluster/down.sh

.PHONY: kind
kind: ## Start a cluster with kind and docker, and load the image
	docker build --build-arg VERSION=$(VERSION) --tag $(IMAGE) .
	kind create cluster --name limpet
	kind load docker-image --name limpet $(IMAGE)

.PHONY: kind-down
kind-down: ## Delete the cluster of make kind
	kind delete cluster --name limpet

##@ Test

.PHONY: test
test: ## Run all tests with the race detector; builds the control plane first unless KUBEBUILDER_ASSETS is set
	@assets=$$(hack/controlplane/build.sh) && export KUBEBUILDER_ASSETS="$$assets" && set -x && \
	go test -race -count 1 $(TEST_FLAGS) $(PKG) && \
	go test -count 1 $(TEST_FLAGS) -run '[Aa]lloc' ./pkg/proxy ./pkg/filter # strict only without the race detector
	cd test/rules && go vet . && go test -count 1 $(TEST_FLAGS) .
# -count 1, because the test cache does not notice changes of programs that tests run.

.PHONY: e2e
e2e: ## Run test/e2e on a new cluster (needs root), or on the cluster of KUBECONFIG
	hack/e2e.sh $(TEST_FLAGS)

.PHONY: browsers
browsers: ## Run test/browsers in Chromium (needs root and the Debian package chromium)
	go test -tags browsers -count 1 $(TEST_FLAGS) ./test/browsers

.PHONY: test-dashboard
test-dashboard: build ## Test the page of the admin listener in Chromium, in about 30 seconds (needs npm and chromium)
	hack/dashboard-test.sh bin/limpet

.PHONY: bench
bench: build ## Compare with nginx, HAProxy and Caddy, in about 20 minutes; BENCH_FLAGS=-help lists the flags
	go run ./test/bench -limpet bin/limpet -caddy "$$(hack/tools/build.sh caddy)" $(BENCH_FLAGS)

.PHONY: bench-scale
bench-scale: build ## Measure clusters of 100, 1,000 and 10,000 Ingresses, in about 10 minutes, and write docs/scale.md; SCALE_FLAGS=-help lists the flags
	go run ./test/scale -limpet bin/limpet -markdown docs/scale.md $(SCALE_FLAGS)

.PHONY: bench-scale-check
bench-scale-check: build ## Compare counts and ratios at 100 and 1,000 Ingresses with test/scale/figures.json; CI runs it
	go run ./test/scale -limpet bin/limpet -check $(SCALE_FLAGS)

# One cell is only printed. The page is written when all of them ran.
.PHONY: stay
stay: build ## Count the sessions that Limpet and other proxies lose, and write docs/stay.md; or one cell with SCENARIO= SUBJECT=
	go run ./test/stay/suite -limpet bin/limpet -caddy "$$(hack/tools/build.sh caddy)" \
		$(if $(SCENARIO)$(SUBJECT),-scenario "$(SCENARIO)" -subject "$(SUBJECT)",-markdown docs/stay.md) $(STAY_FLAGS)

.PHONY: stay-cluster
stay-cluster: ## Count the sessions that Limpet loses on the test cluster, and write docs/stay-cluster.md
	hack/stay-cluster.sh -rounds 1 -markdown docs/stay-cluster.md $(STAY_FLAGS)

.PHONY: soak
soak: build ## Change pods, routes, canaries and settings under traffic for an hour, and compare memory, goroutines and files
	go run ./test/stay/suite -limpet bin/limpet -soak 1h -rest 0.5 $(STAY_FLAGS)

.PHONY: attack
attack: build ## Attack memory with 100 connections beside an honest client, and matchers with their worst input, in about 12 minutes
	go test -run '^$$' -bench Worst -benchtime 200ms ./pkg/affinity ./pkg/routing
	go run ./test/attack -limpet bin/limpet $(ATTACK_FLAGS)

.PHONY: microbench
microbench: ## Run all Go benchmarks
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKG)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME
	hack/fuzz.sh $(FUZZTIME) $(PKG)

.PHONY: storm
storm: ## Run STORMS random request storms through the data plane, about 5 s each, with new seeds
	go test -race -count 1 -timeout $(STORMS)m -run TestStorm ./pkg/proxy -storm.seed $$(date +%s) -storm.count $(STORMS)

##@ Change

.PHONY: generate
generate: ## Write deepcopy methods, CRD, RBAC rules, reference pages, and the chart's copies
	hack/generate.sh $(controller-gen)

.PHONY: dashboard
dashboard: ## Build the page of the admin listener from pkg/admin/dashboard/ui (needs npm)
	hack/dashboard.sh

.PHONY: tidy
tidy: ## Tidy go.mod and go.sum
	go mod tidy

.PHONY: fmt
fmt: ## Format all Go files
	$(golangci-lint) fmt

.PHONY: vet
vet: ## Run go vet
	go vet -tags e2e,browsers ./...

.PHONY: lint
lint: ## Run golangci-lint
	$(golangci-lint) run

.PHONY: prose
prose: ## Check the wording of comments, docs and commits; PROSE_FLAGS=-measure prints word frequencies
	go run ./hack/prose $(PROSE_FLAGS)

.PHONY: verify
verify: ## Run generate, dashboard, tidy, fmt, vet, lint and prose, and fail if a file changed; CI runs it
	hack/verify.sh

##@ Release

.PHONY: vulncheck
vulncheck: ## Check dependencies for known vulnerabilities (needs the network, so verify does not run it)
	$(govulncheck) ./cmd/limpet

.PHONY: sbom
sbom: build ## Print the dependencies of bin/limpet as an SPDX document
	@go run ./hack/sbom -version $(VERSION) bin/limpet

.PHONY: release
release: ## Write programs, images, chart, manifest, SPDX document and checksums of VERSION=1.2.3 to dist/
	VERSION=$(VERSION) hack/release.sh
