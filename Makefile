# Every target has its help text behind ##: `make help` prints them.

# The toolchain is the one that go.mod names, also where an older Go is installed with GOTOOLCHAIN=local.
export GOTOOLCHAIN := $(shell awk '$$1 == "toolchain" { print $$2 }' go.mod)

VERSION    ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
IMAGE      ?= limpet:$(VERSION)
TEST_FLAGS ?=
PKG        ?= ./...
FUZZTIME   ?= 20s
BENCHTIME  ?= 1s
BENCH_FLAGS ?=

# The folders of the pinned tools and of the control plane are looked up when a target needs them, and built once.
controller-gen = $(shell hack/tools/build.sh controller-gen)
golangci-lint  = $(shell hack/tools/build.sh golangci-lint)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Print this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Variables: PKG=$(PKG) TEST_FLAGS= FUZZTIME=$(FUZZTIME) BENCHTIME=$(BENCHTIME) BENCH_FLAGS= IMAGE=$(IMAGE)"

##@ Use

.PHONY: demo
demo: ## Run limpet with sample manifests and three sample pods, no cluster needed
	go run ./cmd/limpet demo

.PHONY: build
build: ## Build bin/limpet
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/limpet ./cmd/limpet

.PHONY: image
image: ## Build the container image (needs docker)
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .

##@ Test

.PHONY: test
test: ## Run all tests with the race detector; builds the control plane on the first run, or takes KUBEBUILDER_ASSETS
	@assets=$$(hack/controlplane/build.sh) && export KUBEBUILDER_ASSETS="$$assets" && set -x && \
	go test -race $(TEST_FLAGS) $(PKG)

.PHONY: bench
bench: build ## Compare the CPU per request with nginx and HAProxy, side by side (needs nginx, haproxy, taskset)
	go run ./test/bench -limpet bin/limpet $(BENCH_FLAGS)

.PHONY: microbench
microbench: ## Run all Go benchmarks
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PKG)

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME
	hack/fuzz.sh $(FUZZTIME) $(PKG)

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
	go vet ./...

.PHONY: lint
lint: ## Run golangci-lint
	$(golangci-lint) run

.PHONY: verify
verify: ## Run generate, tidy, fmt, vet and lint, and fail if that changed a file; CI runs it
	hack/verify.sh
