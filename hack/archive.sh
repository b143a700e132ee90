#!/usr/bin/env bash
# archive.sh NAME:TAG ARCH FILE builds the image without docker, podman or buildah. The archive can be loaded with
# `docker load`, `ctr images import`, `kind load image-archive` or hack/cluster/load.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${1:?usage: archive.sh NAME:TAG ARCH FILE} arch=${2:?} file=${3:?}
mkdir -p bin "$(dirname "$file")"
GOOS=linux GOARCH=$arch hack/build.sh "bin/limpet-linux-$arch"
go run ./hack/image -arch "$arch" -tag "$tag" -build-arg "VERSION=${VERSION:-dev}" -file "/limpet=bin/limpet-linux-$arch" -o "$file"
echo "wrote $tag for $arch to $file"
