package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// leadingTo are manifests whose one route leads to an address.
func leadingTo(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return fmt.Sprintf(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: cart}
spec:
  rules:
  - http:
      paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]
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
ports: [{name: "", port: %s}]
endpoints: [{addresses: [127.0.0.1]}]
`, port)
}

// statusOf returns the status and body of a response. Without a response, the status is 0.
func statusOf(address, path string) (status int, body string) {
	response, err := http.Get("http://" + address + path)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

func TestDev_adminIsNotServed(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "dev", "--manifests", dir, "--access-log=false")
	write(t, dir, "admin.yaml", leadingTo(p.admin))
	wait.Until(t, "the route is served", func() bool { status, _ := statusOf(p.http, "/debug/table"); return status != 404 })
	if status, body := statusOf(p.http, "/debug/table"); status < 500 || strings.Contains(body, "generation") {
		t.Errorf("an endpoint that is the admin listener: status %d\n%s", status, body)
	}
	write(t, dir, "admin.yaml", leadingTo(relayTo(t, p.admin)))
	wait.Until(t, "the relay is reached", func() bool { status, _ := statusOf(p.http, "/debug/table"); return status < 500 })
	if status, body := statusOf(p.http, "/debug/table"); status != http.StatusForbidden {
		t.Errorf("the admin listener behind a relay: status %d\n%s", status, body)
	}
	if status, _ := statusOf(p.admin, "/debug/table"); status != http.StatusOK {
		t.Errorf("the admin listener itself: status %d", status)
	}
	p.stop(t)
}

// relayTo returns the address of a relay that passes bytes on to another address, as a network may.
func relayTo(t *testing.T, address string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", address)
			if err != nil {
				near.Close()
				return
			}
			go func() { _, _ = io.Copy(far, near); far.Close() }()
			go func() { _, _ = io.Copy(near, far); near.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestCheck_externalNames(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "db.yaml", strings.Split(leadingTo("127.0.0.1:1"), "---")[0]+
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: cart}\nspec: {type: ExternalName, externalName: db.example.com}\n")
	for flags, want := range map[string]string{
		"": "ExternalNameNotAllowed", "--external-names=example.com": "", "--external-names=*": "",
		"--external-names=other.test,.example.com": "", "--external-names=ample.com": "ExternalNameNotAllowed",
	} {
		status, _, stderr := run(t, append([]string{"check", "-f", dir}, strings.Fields(flags)...)...)
		if (status == 0) != (want == "") || !strings.Contains(stderr, want) {
			t.Errorf("check %s: status %d\n%s", flags, status, stderr)
		}
	}
}
