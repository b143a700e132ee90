#!/usr/bin/env bash
# image.sh NAME:TAG builds the image with docker, podman or buildah, whichever works first. If none works, it writes an
# archive of the same image to dist/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${1:?usage: image.sh NAME:TAG}
for tool in docker podman buildah; do
  if "$tool" info >/dev/null 2>&1; then
    exec "$tool" build --build-arg "VERSION=${VERSION:-dev}" --tag "$tag" .
  fi
done
hack/archive.sh "$tag" "$(go env GOARCH)" dist/limpet-image.tar
