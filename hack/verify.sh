#!/usr/bin/env bash
# Runs generate, dashboard, tidy, fmt, vet, lint and hack/prose. Fails if one of them fails, and lists the files that the first
# four changed, because these are outdated in the commit.
#
# Uncommitted changes are allowed and reported locally. In CI they are an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

sums() { # one line "hash  file" for every file that git tracks or would track
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -f "$file" ] || sha256sum -- "$file"; done | LC_ALL=C sort -k 2
}

dirty=$(git status --porcelain)
if [ -n "$dirty" ] && [ -n "${CI:-}" ]; then
  printf 'verify: the tree is not clean before anything ran:\n%s\n' "$dirty" >&2
  exit 1
fi

before=$(sums)
failed=0
make --no-print-directory generate dashboard tidy fmt
changed=$(diff <(echo "$before") <(sums) | awk '/^[<>]/ { print "  " $3 }' | sort -u) || true
make --no-print-directory --keep-going vet lint prose || failed=1

if [ -n "$changed" ]; then
  printf 'verify: generate, dashboard, tidy or fmt changed these files; commit them:\n%s\n' "$changed" >&2
  failed=1
fi
[ "$failed" = 0 ] || exit 1
if [ -n "$dirty" ]; then
  printf 'verify: passed, with changes in the tree that are not committed yet:\n%s\n' "$dirty"
else
  echo 'verify: passed, the tree is clean'
fi
