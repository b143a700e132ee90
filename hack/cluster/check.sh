#!/usr/bin/env bash
# Fails if the cluster left anything on this machine, and lists it: processes, mounts, network devices, routes, packet filter
# rules, control groups, files.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH="$PATH:/usr/sbin:/sbin"

left=$(
  grep -lsaF -e "$here/node.sh" -e "config=$state/" -e "dir=$state/" -e "file=$state/" /proc/[0-9]*/cmdline || true
  grep -F -e "$state" -e cni- /proc/mounts || true
  ip -o link | grep -E " ($link|cni0|veth[0-9a-f]+)@?" || true
  ip route | grep -F "$pods" || true
  { iptables-save; iptables-legacy-save; } 2>/dev/null | grep -E 'KUBE-|CNI-' || true
  cgroups | head -n 1
  [ ! -e "$state" ] || echo "$state"
)
[ -z "$left" ] || die "leftovers of the cluster:
$left"
