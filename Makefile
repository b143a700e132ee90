# Every target has its help text behind ##: `make help` prints them.

# The toolchain is the one that go.mod names, also where an older Go is installed with GOTOOLCHAIN=local.
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

# The folders of the pinned tools and of the control plane are looked up when a target needs them, and built once.
controller-gen = $(shell hack/tools/build.sh controller-gen)
golangci-lint  = $(shell hack/tools/build.sh golangci-lint)
govulncheck    = $(shell hack/tools/build.sh govulncheck)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: PKG=$(PKG) TEST_FLAGS= FUZZTIME=$(FUZZTIME) STORMS=$(STORMS) BENCHTIME=$(BENCHTIME) BENCH_FLAGS= IMAGE=$(IMAGE)"

##@ Use

.PHONY: demo
demo: ## Run limpet with sample manifests and three sample pods, no cluster needed
	go run -ldflags "-X main.version=$(VERSION)" ./cmd/limpet demo

.PHONY: build
build: ## Build bin/limpet
	VERSION=$(VERSION) hack/build.sh bin/limpet

.PHONY: image
image: ## Build the container image, with docker, podman or buildah, or as an archive in dist/ where none runs
	VERSION=$(VERSION) hack/image.sh $(IMAGE)

.PHONY: cluster
cluster: ## Bring up Kubernetes with one real node on this machine (needs root and Debian packages, which it names)
	hack/cluster/up.sh

.PHONY: load
load: ## Give its node the image, and that of the sample app in test/cart
	VERSION=$(VERSION) hack/load.sh $(IMAGE)

.PHONY: cluster-down
cluster-down: ## End it, and leave nothing behind
	hack/cluster/down.sh

.PHONY: kind
kind: ## The same with kind and docker, with the image loaded
	docker build --build-arg VERSION=$(VERSION) --tag $(IMAGE) .
	kind create cluster --name limpet
	kind load docker-image --name limpet $(IMAGE)

.PHONY: kind-down
kind-down: ## End what make kind has begun
	kind delete cluster --name limpet

##@ Test

.PHONY: test
test: ## Run all tests with the race detector; builds the control plane on the first run, or takes KUBEBUILDER_ASSETS
	@assets=$$(hack/controlplane/build.sh) && export KUBEBUILDER_ASSETS="$$assets" && set -x && \
	go test -race -count 1 $(TEST_FLAGS) $(PKG) && \
	go test -count 1 $(TEST_FLAGS) -run '[Aa]lloc' ./pkg/proxy ./pkg/filter # strict only without the race detector
# -count 1, because the cache of go test does not see that programs which tests run have changed.

.PHONY: e2e
e2e: ## Run test/e2e on a hack cluster of its own (needs root), or on that of KUBECONFIG
	hack/e2e.sh $(TEST_FLAGS)

.PHONY: browsers
browsers: ## Run test/browsers in Chromium (as root; Debian package chromium)
	go test -tags browsers -count 1 $(TEST_FLAGS) ./test/browsers

.PHONY: bench
bench: build ## Compare with nginx, HAProxy and Caddy, side by side, in some 20 minutes; BENCH_FLAGS=-help says how
	go run ./test/bench -limpet bin/limpet -caddy "$$(hack/tools/build.sh caddy)" $(BENCH_FLAGS)

.PHONY: attack
attack: build ## Attack limpet's memory with 100 connections of three kinds, beside an honest client, in some 5 minutes
	go run ./test/attack -limpet bin/limpet $(ATTACK_FLAGS)

.PHONY: microbench
microbench: ## Run all Go benchmarks
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKG)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME
	hack/fuzz.sh $(FUZZTIME) $(PKG)

.PHONY: storm
storm: ## Run STORMS storms of requests through the data plane, some 5 s each, with seeds that have not been tried
	go test -race -count 1 -timeout $(STORMS)m -run TestStorm ./pkg/proxy -storm.seed $$(date +%s) -storm.count $(STORMS)

##@ Change

.PHONY: generate
generate: ## Write deepcopy methods, the CRD, the RBAC rules, and the chart's copies of them
	hack/generate.sh $(controller-gen)

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
verify: ## Run generate, tidy, fmt, vet, lint and prose, and fail if that changed a file; CI runs it
	hack/verify.sh

##@ Release

.PHONY: vulncheck
vulncheck: ## Look for known faults in what limpet is built from (needs the network, so that verify does not)
	$(govulncheck) ./cmd/limpet

.PHONY: sbom
sbom: build ## Print what bin/limpet was built from, as SPDX
	@go run ./hack/sbom -version $(VERSION) bin/limpet

.PHONY: release
release: ## Write programs, images, chart, manifest, SPDX and checksums of VERSION=1.2.3 to dist/
	VERSION=$(VERSION) hack/release.sh
