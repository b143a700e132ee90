#!/usr/bin/env bash
# build.sh OUT builds limpet reproducibly: the same commit and VERSION produce the same bytes on any machine. GOOS and GOARCH
# select the platform.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
CGO_ENABLED=0 exec go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=${VERSION:-dev}" \
  -o "${1:?usage: build.sh OUT}" ./cmd/limpet
