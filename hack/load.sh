#!/usr/bin/env bash
# load.sh NAME:TAG: gives the node of the hack cluster the image of Limpet under that name, and that of the sample app.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
arch=$(go env GOARCH)
hack/archive.sh "${1:?usage: load.sh NAME:TAG}" "$arch" bin/limpet.tar
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/cart ./test/cart
go run ./hack/image -dockerfile test/cart/Dockerfile -arch "$arch" -tag limpet.dev/cart:sample -file cart=bin/cart -o bin/cart.tar
hack/cluster/load.sh bin/limpet.tar bin/cart.tar
