#!/usr/bin/env bash
# generate.sh CONTROLLER-GEN writes all generated files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
controller_gen=$1

"$controller_gen" object paths=./api/...
"$controller_gen" crd paths=./api/... output:crd:artifacts:config=config/crd/bases
"$controller_gen" rbac:roleName=limpet paths=./controllers/... output:rbac:artifacts:config=config/rbac

# Copies for the chart.
cp config/crd/bases/*.yaml charts/limpet/crds/
cp config/rbac/role.yaml charts/limpet/files/

# Generated reference pages.
go run ./hack/docs
go test ./cmd/limpet -count 1 -run 'TestFlagsPage_isCurrent|TestChartSchema' -update
