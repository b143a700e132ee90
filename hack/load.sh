#!/usr/bin/env bash
# load.sh NAME:TAG builds the image of Limpet with that name and the image of the sample app, and loads both into the hack cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
arch=$(go env GOARCH)
hack/archive.sh "${1:?usage: load.sh NAME:TAG}" "$arch" bin/limpet.tar
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/cart ./test/cart
go run ./hack/image -dockerfile test/cart/Dockerfile -arch "$arch" -tag limpet.dev/cart:sample -file cart=bin/cart -o bin/cart.tar
hack/cluster/load.sh bin/limpet.tar bin/cart.tar
