package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// shopManifests has an open route for all of the host, and routes below it that require protection. The pod is at port.
func shopManifests(port string) string {
	var b strings.Builder
	for _, i := range []struct{ name, path, annotations string }{
		{"shop", "/", ""},
		{"admin", "/admin", "nginx.ingress.kubernetes.io/enable-modsecurity: \"true\""},
		{"office", "/office", "nginx.ingress.kubernetes.io/modsecurity-snippet: SecRuleEngine On, " +
			"limpet.dev/unenforced-protection: modsecurity-snippet"},
		{"everyone", "/everyone", `nginx.ingress.kubernetes.io/whitelist-source-range: "0.0.0.0/0,::/0"`},
	} {
		fmt.Fprintf(&b, "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: %s\n  annotations: {%s}\nspec:\n"+
			"  rules:\n  - http:\n      paths:\n      - path: %s\n        pathType: Prefix\n"+
			"        backend: {service: {name: shop, port: {number: 80}}}\n---\n", i.name, i.annotations, i.path)
	}
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec:\n  ports: [{port: 80}]\n---\n"+
		"apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: shop, labels: {kubernetes.io/service-name: shop}}\n"+
		"addressType: IPv4\nports: [{name: \"\", port: %s}]\nendpoints: [{addresses: [127.0.0.1]}]\n", port)
	return b.String()
}

func startShop(t *testing.T) string {
	t.Helper()
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "shop") }))
	t.Cleanup(pod.Close)
	dir := t.TempDir()
	write(t, dir, "shop.yaml", shopManifests(pod.URL[strings.LastIndexByte(pod.URL, ':')+1:]))
	return dir
}

func TestProtection_servedOrDenied(t *testing.T) {
	dir := startShop(t)
	const closed = "This route is not available.\n"
	for _, c := range []struct {
		value string
		admin string
	}{{"deny", closed}, {"serve", "shop"}} {
		t.Run(c.value, func(t *testing.T) {
			p := start(t, "dev", "--manifests", dir, "--unenforced-protection", c.value)
			for path, want := range map[string]string{
				"/": "shop", "/administrator": "shop", "/office": "shop", "/everyone": "shop",
				"/admin": c.admin, "/admin/users": c.admin,
			} {
				if got := get(p.http, path); got != want {
					t.Errorf("%s: got %q, want %q", path, got, want)
				}
			}
			if table := get(p.admin, "/debug/table"); strings.Contains(table, "enable-modsecurity is not enforced") != (c.value == "deny") {
				t.Errorf("/debug/table contains:\n%s", table)
			}
			p.stop(t)
		})
	}
}

func TestProtection_check(t *testing.T) {
	dir := startShop(t)
	for value, isClosed := range map[string]bool{"deny": true, "serve": false} {
		status, out, problems := run(t, "check", "-f", dir, "--unenforced-protection", value)
		if status != exitFailure || !strings.Contains(problems, "ProtectionNotEnforced") ||
			strings.Contains(out, "closed: annotation nginx.ingress.kubernetes.io/enable-modsecurity") != isClosed {
			t.Errorf("%s: status %d; it printed:\n%s", value, status, out)
		}
	}
	if status, _, stderr := run(t, "check", "-f", dir, "--unenforced-protection", "allow"); status != exitUsage ||
		!strings.Contains(stderr, "must be deny or serve") {
		t.Errorf("status %d; it said %s", status, stderr)
	}
}
