package main

import (
	"strings"
	"testing"
)

const twoNamespaces = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart, namespace: shop, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  rules:
    - host: shop.example
      http: {paths: [{path: /cart, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: blog, namespace: other, creationTimestamp: "2026-01-02T00:00:00Z"}
spec:
  rules:
    - host: shop.example
      http: {paths: [{path: /blog, pathType: Prefix, backend: {service: {name: app, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: other}
spec: {ports: [{port: 80}]}
`

func TestCheck_hostFlags(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "two.yaml", twoNamespaces)
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 0, "path: /blog"},
		{[]string{"--host-routes", "owner"}, exitFailure, "Ingress other/blog: spec.rules[0].http.paths[0]: HostConflict"},
		{nil, 0, "namespace: shop\n"},
		{[]string{"--unmatched-paths", "any"}, 0, "sharesUnmatched: true"},
		{[]string{"--acme-namespaces", "issuers,other"}, 0, "- other\n"},
		{[]string{"--acme-namespaces", "a/b"}, exitUsage, `"a/b" is not the name of a namespace`},
		{[]string{"--host-routes", "mine"}, exitUsage, "must be any or owner"},
		{[]string{"--unmatched-paths", "all"}, exitUsage, "must be owner or any"},
	} {
		code, out, stderr := run(t, append([]string{"check", "-f", dir}, c.args...)...)
		if code != c.code || !strings.Contains(out+stderr, c.says) {
			t.Errorf("%v: status %d, want %d with %q; it said:\n%s%s", c.args, code, c.code, c.says, out, stderr)
		}
	}
}

func TestOptions_hostFlags(t *testing.T) {
	o := options{tenants: tenantOptions{routes: choice{value: "owner"}, unmatched: choice{value: "any"}}}
	if got := o.translation(); !got.OwnerRoutesOnly || !got.SharesUnmatched {
		t.Errorf("the flags lead to %+v", got)
	}
	o.tenants = tenantOptions{routes: choice{value: "any"}, unmatched: choice{value: "owner"}}
	if got := o.translation(); got.OwnerRoutesOnly || got.SharesUnmatched {
		t.Errorf("the defaults lead to %+v", got)
	}
}
