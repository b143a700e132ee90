#!/usr/bin/env bash
# build.sh NAME builds a tool pinned in go.mod if it is missing, and prints its path.
#
# The programs are kept in a per-user cache directory named by version, which is shared by all clones. The first build of
# golangci-lint takes about 4 minutes on two cores.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
[ ! -f "${1:-.}/go.mod" ] || cd "${1:-.}" # a tool whose dependencies would move the others' has a module of its own
export GOFLAGS=-mod=readonly
package=$(go list -f '{{.ImportPath}}' tool | grep "/${1:?usage: build.sh NAME}\$") || {
  echo "$0: $1 is not a tool of $PWD/go.mod" >&2
  exit 1
}
version=$(go list -f '{{.Module.Version}}' "$package")
dir="${LIMPET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/limpet}/tools/$1-$version-$(go env GOVERSION)"
mkdir -p "$dir"
exec 9>"$dir/.lock"
flock 9

if [ ! -x "$dir/$1" ]; then # through a temporary name, so that an interrupted build leaves nothing half made
  echo "building $1 $version (kept in $dir)" >&2
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$dir/.$1.new" "$package" >&2
  mv "$dir/.$1.new" "$dir/$1"
fi
echo "$dir/$1"
