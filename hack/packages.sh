#!/usr/bin/env bash
# packages.sh COMMAND:PACKAGE...: installs those Debian packages whose command is missing, without starting what they serve.
set -euo pipefail
PATH="$PATH:/usr/sbin:/sbin"
missing=()
for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
[ ${#missing[@]} -gt 0 ] || exit 0

# Debian asks this file before it starts a service on install (invoke-rc.d(8)); 101 says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
