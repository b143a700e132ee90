package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/explain"
	"github.com/limpet-dev/limpet/test/certificates"
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

func TestExplain_scale(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", explainShop)
	args := []string{"-f", dir, "--url", "http://shop.example.com/cart"}
	if r := explained(t, append(args, "--scale", "default/cart=5")...); r.Backend.Ready != 5 || r.Pod == nil {
		t.Errorf("with 5 pods: got %+v, pod %+v", r.Backend, r.Pod)
	}
	if r := explained(t, append(args, "--scale", "default/cart=1")...); r.Backend.Ready != 1 || r.Pod.Pod != "cart-a" {
		t.Errorf("with 1 pod: got %+v, pod %+v", r.Backend, r.Pod)
	}
	r := explained(t, append(args, "--scale", "default/cart=1", "--without-pod", "cart-a", "--without-pod", "cart-b")...)
	if r.Pod == nil || r.Pod.Pod != "made-up-1" {
		t.Errorf("with a made-up pod: got %+v", r.Pod)
	}
	if r := explained(t, append(args, "--scale", "default/cart=0")...); r.Response == nil || r.Response.Status != http.StatusServiceUnavailable {
		t.Errorf("without pods: got %+v", r.Response)
	}
	for _, scale := range []string{"default/cart", "default/cart=-1", "default/cart=1001", "cart=5", "default/other=5"} {
		if status, _, stderr := run(t, append([]string{"explain", "--scale", scale}, args...)...); status != exitUsage || !strings.Contains(stderr, "invalid scale") {
			t.Errorf("%s: status %d\n%s", scale, status, stderr)
		}
	}
}

func TestExplain_conflicts(t *testing.T) {
	dir := t.TempDir()
	younger := strings.ReplaceAll(explainShop[:strings.Index(explainShop, "---")], "name: shop,", "name: zoo,")
	write(t, dir, "a.yaml", explainShop)
	write(t, dir, "b.yaml", younger)
	for path, want := range map[string]bool{"/cart": true, "/none": true} { // also if no route matches
		r := explained(t, "-f", dir, "--url", "http://shop.example.com"+path)
		found := len(r.Conflicts) > 0 && r.Conflicts[0].Object == "Ingress default/zoo" && r.Conflicts[0].Reason == "RouteConflict"
		if found != want {
			t.Errorf("%s: got %+v", path, r.Conflicts)
		}
	}
	if r := explained(t, "-f", dir, "--url", "http://other.example.com/"); len(r.Conflicts) != 0 {
		t.Errorf("of another host: got %+v", r.Conflicts)
	}
	_, out, _ := run(t, "explain", "-f", dir, "--url", "http://shop.example.com/cart")
	if !strings.Contains(out, "conflict  Ingress default/zoo: spec.rules[0].http.paths[0]: RouteConflict: Ingress default/shop already has") {
		t.Errorf("got\n%s", out)
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

// explainProtected is explainShop with filters that send requests or count them, on objects of Limpet and of ingress-nginx.
const explainProtected = explainShop + `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: protected
  annotations:
    limpet.dev/auth-url: http://auth.default.svc/check?from=$request_uri
    limpet.dev/allow-source-range: 203.0.113.0/24
    nginx.ingress.kubernetes.io/limit-rps: "1"
    limpet.dev/mirror-target: http://cart.default.svc$request_uri
    limpet.dev/client-ca: clients
    nginx.ingress.kubernetes.io/enable-cors: "true"
spec:
  tls: [{hosts: [protected.example.com], secretName: tls}]
  rules:
  - host: protected.example.com
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: auth}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: auth, labels: {kubernetes.io/service-name: auth}}
addressType: IPv4
ports: [{name: "", port: PORT}]
endpoints: [{addresses: [127.0.0.1]}]
---
apiVersion: v1
kind: Secret
metadata: {name: clients}
stringData: {ca.crt: CA}
`

// Explain sends no request of a filter and counts none, and names the object and the annotation of each decision.
func TestExplain_decisions(t *testing.T) {
	sent := make(chan string, 10)
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent <- r.RequestURI }))
	defer service.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(service.URL, "http://"), ":")
	authority, _ := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{IsCA: true, BasicConstraintsValid: true}))
	ca, _ := json.Marshal(string(authority))
	dir := t.TempDir()
	write(t, dir, "shop.yaml", strings.NewReplacer("PORT", port, "CA", string(ca)).Replace(explainProtected))
	want := []string{
		"limpet.dev/client-ca of Ingress default/protected: requires a certificate of Secret default/clients",
		"limpet.dev/allow-source-range of Ingress default/protected: admits 203.0.113.1",
		"limpet.dev/auth-url of Ingress default/protected: decides by GET http://auth.default.svc/check?from=/a?b, which was not sent",
		"nginx.ingress.kubernetes.io/limit-rps of Ingress default/protected: 1 per second, and a burst of 5; this request was not counted",
		"limpet.dev/mirror-target of Ingress default/protected: copies to http://cart.default.svc/a?b; no copy was sent",
		"nginx.ingress.kubernetes.io/enable-cors of Ingress default/protected",
	}
	p := start(t, "dev", "--manifests", dir)
	wait.Until(t, "the route is served", func() bool { status, _ := statusOf(p.http, "/"); return status != 0 })
	for range 10 { // more than the burst
		status, out, stderr := run(t, "explain", "--admin", "http://"+p.admin, "--url", "https://protected.example.com/a?b")
		if status != 0 || strings.Contains(out, "responds 503") {
			t.Fatalf("status %d\n%s%s", status, out, stderr)
		}
		for _, line := range want {
			if !strings.Contains(out, line) {
				t.Errorf("no line %q in\n%s", line, out)
			}
		}
		if t.Failed() {
			break
		}
	}
	p.stop(t)
	select {
	case request := <-sent:
		t.Errorf("the service got %s", request)
	default:
	}
}
