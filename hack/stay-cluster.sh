#!/usr/bin/env bash
# Starts the hack cluster, installs Limpet with Helm, counts lost sessions there, and always stops the cluster.
# Arguments are passed to test/stay/suite. See test/stay/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. hack/cluster/lib.sh

hack/cluster/up.sh
trap hack/cluster/down.sh EXIT
VERSION=e2e hack/load.sh limpet:e2e
export KUBECONFIG=$state/kubeconfig
"$(hack/tools/build.sh helm)" install limpet charts/limpet --namespace limpet-system --create-namespace --wait --timeout 3m \
  --values test/e2e/limpet.yaml
go run ./test/stay/suite -kubeconfig "$KUBECONFIG" -name limpet-in-cluster -class limpet -address "$node_ip:30080" \
  -pods "$host_ip" -annotation limpet.dev/affinity=cookie -edit limpet.dev/timeout-response=%ds "$@"
