#!/usr/bin/env bash
# Starts the hack cluster, loads the images, runs test/e2e, and always stops the cluster. Then it runs the installation guide
# with a cluster of its own.
# If KUBECONFIG is set, test/e2e runs on that cluster instead, without the installation guide. The cluster must have the
# images limpet:e2e, limpet.dev/cart:sample and busybox:e2e.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

suite() { # suite TEST FLAGS...
  go test -tags e2e -count 1 -timeout 20m -run "$@" ./test/e2e
}

if [ -n "${KUBECONFIG:-}" ]; then
  suite TestCluster "$@"
  exit
fi

[ -x /bin/busybox ] || { echo "$0: /bin/busybox is missing; on Debian: hack/packages.sh busybox:busybox-static" >&2; exit 1; }
hack/cluster/up.sh
trap hack/cluster/down.sh EXIT
VERSION=e2e hack/load.sh limpet:e2e
go run ./hack/image -dockerfile test/e2e/busybox/Dockerfile -arch "$(go env GOARCH)" -tag busybox:e2e -o bin/busybox.tar
hack/cluster/load.sh bin/busybox.tar

state=${LIMPET_CLUSTER:-/var/tmp/limpet-cluster}
KUBECONFIG=$state/kubeconfig LIMPET_AUDIT_LOG=$state/audit.log suite TestCluster "$@"
hack/cluster/down.sh
suite TestInstallationGuide "$@"
