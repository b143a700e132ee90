#!/usr/bin/env bash
# configure.sh BIN writes the keys, users and configuration files of the cluster to its state directory.
set -euo pipefail
# shellcheck source=hack/cluster/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir -p "$state"/{lib,log,sysctl,certs,run}

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$state/account.key" 2>"$state/openssl.log"
openssl pkey -in "$state/account.key" -pubout -out "$state/account.pub"
# The certificate is created here, so that kubeconfigs can be written before the API server runs.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=limpet-cluster \
  -addext "subjectAltName=IP:$node_ip,IP:10.96.0.1,IP:127.0.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc" \
  -keyout "$state/certs/apiserver.key" -out "$state/certs/apiserver.crt" 2>"$state/openssl.log"

user() { # user NAME USER GROUPS: a token, and a kubeconfig that holds it
  local token
  token=$(openssl rand -hex 16)
  echo "$token,$2,$2,\"$3\"" >>"$state/tokens.csv"
  (umask 077 && cat >"$state/$1" <<END
apiVersion: v1
kind: Config
clusters:
  - name: limpet
    cluster:
      server: https://$node_ip:6443
      certificate-authority-data: $(base64 -w0 "$state/certs/apiserver.crt")
users:
  - name: $2
    user:
      token: $token
contexts:
  - name: limpet
    context:
      cluster: limpet
      user: $2
current-context: limpet
END
  )
}
user kubeconfig admin system:masters
user manager.conf system:kube-controller-manager ''
user scheduler.conf system:kube-scheduler ''
user kubelet.conf "system:node:$node" system:nodes
user proxy.conf system:kube-proxy ''

for file in "$here"/config/*; do
  sed "s|@PODS@|$pods|; s|@CGROUP@|$cgroup|" "$file" >"$state/$(basename "$file")"
done
: >"$state/resolv.conf" # the node knows no names
