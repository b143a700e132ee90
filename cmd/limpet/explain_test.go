package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/explain"
	"github.com/limpet-dev/limpet/test/wait"
)

// explainShop are manifests with a sticky route, a missing Service and a conflict.
const explainShop = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, annotations: {limpet.dev/affinity: cookie}}
spec:
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}
      - {path: /pay, pathType: Prefix, backend: {service: {name: pay, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: "", port: 9}]
endpoints:
- {addresses: [127.0.0.2], targetRef: {kind: Pod, name: cart-a, uid: a}}
- {addresses: [127.0.0.3], targetRef: {kind: Pod, name: cart-b, uid: b}}
`

// explained returns the report of limpet explain with the given arguments.
func explained(t *testing.T, args ...string) explain.Report {
	t.Helper()
	status, out, stderr := run(t, append([]string{"explain", "-o", "json"}, args...)...)
	if status != 0 {
		t.Fatalf("explain %v: status %d\n%s", args, status, stderr)
	}
	var report explain.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("explain %v: %v\n%s", args, err, out)
	}
	return report
}

func TestExplain_manifests(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", explainShop)
	r := explained(t, "-f", dir, "--url", "http://shop.example.com/cart/1?x=y")
	if r.Route == nil || r.Route.Source != "Ingress default/shop" || r.Route.Path != "/cart" || r.Forward != "/cart/1?x=y" {
		t.Errorf("got route %+v, forward %q", r.Route, r.Forward)
	}
	if r.Pod == nil || r.Outcome != "new" || r.Backend.Pool != "default/cart:80" || r.Backend.Ready != 2 {
		t.Errorf("got pod %+v, outcome %q, backend %+v", r.Pod, r.Outcome, r.Backend)
	}
	for _, p := range []string{"cart-a", "cart-b"} { // each is left out once
		if r := explained(t, "-f", dir, "--url", "http://shop.example.com/cart", "--without-pod", p); r.Pod == nil || r.Pod.Pod == p {
			t.Errorf("without %s: got %+v", p, r.Pod)
		}
	}
	r = explained(t, "-f", dir, "--url", "http://shop.example.com/")
	if r.Response == nil || r.Response.Status != http.StatusNotFound || r.NoRoute == nil || len(r.NoRoute.Nearest) != 2 {
		t.Errorf("for no route: got response %+v, %+v", r.Response, r.NoRoute)
	}
	r = explained(t, "-f", dir, "--url", "http://shop.example.com/pay")
	if r.Response == nil || r.Response.Status != http.StatusServiceUnavailable || len(r.Problems) == 0 {
		t.Errorf("for a missing Service: got response %+v, problems %v", r.Response, r.Problems)
	}
}

func TestExplain_running(t *testing.T) {
	dir, keys := t.TempDir(), filepath.Join(t.TempDir(), "keys")
	write(t, dir, "shop.yaml", explainShop)
	if err := os.WriteFile(keys, []byte(base64.StdEncoding.EncodeToString(affinity.NewKey())), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "dev", "--manifests", dir, "--affinity-keys", keys)
	wait.Until(t, "the route is served", func() bool { status, _ := statusOf(p.http, "/"); return status != 0 })
	admin := "http://" + p.admin
	live := explained(t, "--admin", admin, "--url", "http://shop.example.com/cart")
	if live.Pod == nil || live.Outcome != "new" {
		t.Errorf("got pod %+v, outcome %q", live.Pod, live.Outcome)
	}
	token := explained(t, "--admin", admin, "--token", strings.Repeat("A", affinity.TokenLen))
	if token.Token == nil || token.Token.Valid {
		t.Errorf("for a forged token: got %+v", token.Token)
	}
	status, _, stderr := run(t, "explain", "--admin", admin, "--url", "shop.example.com")
	if status != exitUsage || !strings.Contains(stderr, "invalid URL") {
		t.Errorf("for an invalid URL: status %d\n%s", status, stderr)
	}
	p.stop(t)
}
