package nginx

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/test/programs"
)

// The addresses of the process in the sandbox, where nothing else listens.
const (
	httpAddress  = "127.0.0.1:10080"
	httpsAddress = "127.0.0.1:10443"
	adminAddress = "127.0.0.1:10090"
)

// limpet is a process that serves manifests.
type limpet struct{ client *http.Client }

// startLimpet serves manifests, with the objects that they leave to the cluster. The test ends it.
func startLimpet(t *testing.T, manifests []string) *limpet {
	t.Helper()
	dir := t.TempDir()
	for _, manifest := range manifests {
		text, err := os.ReadFile(manifest)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, completion(t, text)...)
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(manifest)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startLimpetIn(t, dir)
}

// startLimpetIn serves the manifests in a folder with further flags. The test ends it.
func startLimpetIn(t *testing.T, dir string, flags ...string) *limpet {
	t.Helper()
	args := []string{"dev", "--manifests", dir, "--ingress-class", "nginx",
		"--http-addr", httpAddress, "--https-addr", httpsAddress, "--admin-addr", adminAddress,
		"--trusted-proxies", "127.0.0.1", "--stop-delay=0s", "--stop-timeout=2s", "--log-format=text", "--access-log=false"}
	cmd := exec.Command(programs.Limpet.Path(), append(args, flags...)...)
	startProcess(t, cmd)
	programs.AwaitReady(t, adminAddress)
	return &limpet{newClient(httpAddress, httpsAddress)}
}

// newClient returns a client that connects to these listeners for any host of a URL, and follows no redirects.
func newClient(cleartext, secure string) *http.Client {
	dialer := net.Dialer{}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		to := cleartext
		if strings.HasSuffix(address, ":443") {
			to = secure
		}
		return dialer.DialContext(ctx, network, to)
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			DisableCompression: true, ForceAttemptHTTP2: false,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// try sends a request and compares what the client and the pod see.
func (l *limpet) try(t *testing.T, c *request) {
	t.Helper()
	got := send(t, l.client, c, nil)
	if got.status != c.Status {
		t.Fatalf("status %d, want %d; header %v, body %.300s", got.status, c.Status, got.header, got.body)
	}
	for name, want := range c.Response {
		if value := strings.Join(got.header.Values(name), ", "); value != want {
			t.Errorf("the response has %s: %q, want %q", name, value, want)
		}
	}
	if c.Pod == nil && !c.Stays {
		return
	}
	first := parseSeen(t, got.body)
	for name, want := range c.Pod {
		if got := first.get(name); got != want {
			t.Errorf("the pod received %s %q, want %q", name, got, want)
		}
	}
	if !c.Stays {
		return
	}
	if len(got.cookies) == 0 {
		t.Error("the response to a new client has no cookie")
	}
	for range 9 { // enough for a random choice among three pods to be seen
		if again := parseSeen(t, send(t, l.client, c, got.cookies).body); again.Pod != first.Pod {
			t.Fatalf("pod %s answered a client of pod %s", again.Pod, first.Pod)
		}
	}
}

func send(t *testing.T, client *http.Client, c *request, cookies []*http.Cookie) *response {
	t.Helper()
	var body io.Reader
	if c.Body > 0 {
		body = io.LimitReader(zeros{}, c.Body)
	}
	r, err := http.NewRequestWithContext(t.Context(), c.Method, c.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = c.Body
	for name, value := range c.Header {
		r.Header.Set(name, value)
	}
	if c.From != "" {
		r.Header.Set("X-Forwarded-For", c.From)
		r.Header.Set("X-Forwarded-Proto", r.URL.Scheme)
	}
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &response{resp.StatusCode, resp.Header, resp.Cookies(), text}
}

// response is a response with its body.
type response struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

// zeros is an endless body.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func parseSeen(t *testing.T, body []byte) *seen {
	t.Helper()
	s := &seen{}
	if err := json.Unmarshal(body, s); err != nil {
		t.Fatalf("no pod answered: %.300s", body)
	}
	return s
}

// get returns a property of what the pod received.
func (s *seen) get(name string) string {
	switch name {
	case "name":
		return s.Pod
	case "method":
		return s.Method
	case "target":
		return s.Target
	case "host":
		return s.Host
	case "proto":
		return s.Proto
	case "body":
		return fmt.Sprint(s.Body)
	}
	return strings.Join(s.Header.Values(name), ", ")
}

// completion returns the objects that a manifest leaves to the cluster: EndpointSlices for the Services, and Secrets for the
// TLS sections.
func completion(t *testing.T, manifest []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, document := range bytes.Split(manifest, []byte("\n---\n")) {
		var kind struct{ Kind string }
		if err := yaml.Unmarshal(document, &kind); err != nil {
			t.Fatal(err)
		}
		switch kind.Kind {
		case "Service":
			var service corev1.Service
			if err := yaml.Unmarshal(document, &service); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(manifest, []byte("kind: EndpointSlice")) {
				writeSlices(&out, &service)
			}
		case "Ingress":
			var ingress networkingv1.Ingress
			if err := yaml.Unmarshal(document, &ingress); err != nil {
				t.Fatal(err)
			}
			writeSecrets(t, &out, &ingress)
		}
	}
	return out.Bytes()
}

// tlsPorts are the ports of Services whose pods speak TLS.
var tlsPorts = []int32{443, 8443, 9443, 8200}

func writeSlices(out *bytes.Buffer, service *corev1.Service) {
	for i, port := range service.Spec.Ports {
		podPort := clearPort
		if slices.Contains(tlsPorts, port.Port) {
			podPort = tlsPort
		}
		fmt.Fprintf(out, `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %s-%d, namespace: %s, labels: {kubernetes.io/service-name: %s}}
addressType: IPv4
ports: [{name: %q, port: %s}]
endpoints: [{addresses: [%s]}]
`, service.Name, i, service.Namespace, service.Name, port.Name, podPort, strings.Join(podAddresses, "]}, {addresses: ["))
	}
}

func writeSecrets(t *testing.T, out *bytes.Buffer, ingress *networkingv1.Ingress) {
	t.Helper()
	for _, section := range ingress.Spec.TLS {
		if section.SecretName == "" {
			continue
		}
		cert, key := keyPair(t, section.Hosts...)
		fmt.Fprintf(out, `---
apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: %s}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
`, section.SecretName, ingress.Namespace, base64.StdEncoding.EncodeToString(cert), base64.StdEncoding.EncodeToString(key))
	}
}
