#!/usr/bin/env bash
# dashboard.sh checks the types of the dashboard and builds pkg/admin/dashboard/ui/dist, with the packages of its lock file.
# `dashboard.sh install` only installs these. npm runs no scripts of packages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../pkg/admin/dashboard/ui"
command -v npm >/dev/null || { echo 'dashboard.sh: npm is missing; on Debian: hack/packages.sh node:nodejs npm:npm' >&2; exit 1; }

# npm ci takes some seconds, so it runs only after a change of the lock file.
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-lock.json
fi
[ "${1:-}" = install ] && exit
npm run --silent check
npm run --silent build
