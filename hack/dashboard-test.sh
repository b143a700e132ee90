#!/usr/bin/env bash
# dashboard-test.sh LIMPET tests the page that this program serves, in Chromium. It installs the packages of the lock file if they
# are missing. With SCREENSHOTS=1 it writes the pictures in docs/guides/images.
set -euo pipefail
LIMPET=$(realpath "$1")
export LIMPET
cd "$(dirname "${BASH_SOURCE[0]}")/../pkg/admin/dashboard/ui"
command -v chromium >/dev/null || { echo 'dashboard-test.sh: chromium is missing; on Debian: hack/packages.sh chromium:chromium' >&2; exit 1; }
../../../../hack/dashboard.sh install
exec node --test --test-reporter spec test/dashboard.test.mjs
