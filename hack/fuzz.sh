#!/usr/bin/env bash
# fuzz.sh TIME PACKAGES...: runs every fuzz target of the packages for TIME, one after another.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
time=$1
shift

for package in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' "$@"); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    # Inputs are not made as short as can be: where goroutines race for what is covered, nothing else would be done.
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$package"
  done
done
