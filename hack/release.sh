#!/usr/bin/env bash
# Writes a release to dist/: programs (for macOS only the kubectl plugin), image archives, the chart, a manifest that installs
# everything, SPDX documents and checksums. VERSION is the version, such as 1.2.3. TARGETS may select a subset of the platforms.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${VERSION:?release.sh needs VERSION=1.2.3}"
image=ghcr.io/limpet-dev/limpet:$VERSION
kubectl=$(KUBEBUILDER_ASSETS='' hack/controlplane/build.sh)/kubectl
helm=$(hack/tools/build.sh helm)
created=$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd)

rm -rf dist
mkdir -p dist
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64}; do
  os=${target%/*} arch=${target#*/}
  program=dist/limpet-$VERSION-$os-$arch
  GOOS=$os GOARCH=$arch hack/build.sh "$program"
  go run ./hack/sbom -version "$VERSION" -created "$created" "$program" >"$program.spdx.json"
  [ "$os" = linux ] || continue
  go run ./hack/image -arch "$arch" -tag "$image" -build-arg "VERSION=$VERSION" \
    -file "/limpet=$program" -o "dist/limpet-$VERSION-image-$os-$arch.tar"
done
"$helm" package charts/limpet --version "$VERSION" --app-version "$VERSION" --destination dist
"$kubectl" kustomize config | sed "s|image: ghcr.io/limpet-dev/limpet:.*|image: $image|" >"dist/limpet-$VERSION-install.yaml"
grep -q "image: $image\$" "dist/limpet-$VERSION-install.yaml"
cd dist && sha256sum -- * >SHA256SUMS
ls -l
