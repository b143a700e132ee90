#!/usr/bin/env bash
# The first process of the node. It sets up the namespaces, starts Kubernetes, and exits when one of the programs exits. bin is
# the directory of the programs.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Private directories at the default paths of the programs.
mount -t tmpfs tmpfs /run
mount --bind "$state/lib" /var/lib
mount --bind "$state/log" /var/log
mkdir /run/cni /run/lock
cp "$state/cni.conflist" /run/cni/
cp "$state/resolv.conf" /run/

# The kubelet writes these sysctls of the host, so give it copies.
for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  copy=$state/sysctl/${name//\//.}
  cat "/proc/sys/$name" >"$copy"
  mount --bind "$copy" "/proc/sys/$name"
done

# crun rejects a mix of cgroup v1 and v2.
if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
for controller in /sys/fs/cgroup/*/cgroup.procs; do mkdir -p "$(dirname "$controller")/$cgroup"; done
[ ! -e /sys/fs/cgroup/cgroup.procs ] || mkdir -p "/sys/fs/cgroup/$cgroup"

ip link set lo up
ip addr add "$node_ip/30" dev eth0
ip link set eth0 up
ip route add default via "$host_ip"
echo 1 >/proc/sys/net/ipv4/ip_forward

start() { # start PROGRAM FLAGS...
  "$@" >"$state/$(basename "$1").log" 2>&1 &
}

start "$bin/etcd" --data-dir="$state/etcd" --unsafe-no-fsync --log-level=warn \
  --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380
start "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --advertise-address="$node_ip" \
  --tls-cert-file="$state/certs/apiserver.crt" --tls-private-key-file="$state/certs/apiserver.key" \
  --token-auth-file="$state/tokens.csv" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$state/account.pub" \
  --service-account-signing-key-file="$state/account.key" --service-cluster-ip-range=10.96.0.0/16 \
  --kubelet-preferred-address-types=InternalIP --allow-privileged \
  --audit-policy-file="$state/audit.yaml" --audit-log-path="$state/audit.log"
start containerd --config="$state/containerd.toml"

# The other programs exit if these start too slowly, as with a cold disk cache.
eventually test -S /run/containerd/containerd.sock || die "containerd is not listening"
eventually "$bin/kubectl" --kubeconfig="$state/kubeconfig" get --raw /readyz || die "the API server is not ready"
start "$bin/kube-controller-manager" --kubeconfig="$state/manager.conf" --use-service-account-credentials --leader-elect=false \
  --service-account-private-key-file="$state/account.key" --root-ca-file="$state/certs/apiserver.crt"
start "$bin/kube-scheduler" --kubeconfig="$state/scheduler.conf" --leader-elect=false
start "$bin/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.conf" --hostname-override="$node" --node-ip="$node_ip"
start "$bin/kube-proxy" --kubeconfig="$state/proxy.conf" --hostname-override="$node" --proxy-mode=iptables \
  --cluster-cidr="$pods" --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s

wait -n -p ended || true
echo "process $ended of the node exited; see the logs in the same directory"
