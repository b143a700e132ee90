#!/usr/bin/env bash
# fuzz.sh TIME PACKAGES...: runs every fuzz target of the packages for TIME, one after another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
time=$1
shift

for package in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@"); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
  done
done
