#!/usr/bin/env bash
# build.sh OUT: builds limpet as it is released. The same commit and VERSION give the same bytes, wherever they are built.
# GOOS and GOARCH say what for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
CGO_ENABLED=0 exec go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=${VERSION:-dev}" \
  -o "${1:?usage: build.sh OUT}" ./cmd/limpet
