package nginx

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// The listeners of nginx.
const (
	nginxHTTP  = "127.0.0.1:10180"
	nginxHTTPS = "127.0.0.1:10543"
)

// sameRequest is a request for Limpet and nginx.
type sameRequest struct {
	request
	// Repeat is the number of times that the request is sent, at least once.
	Repeat int
	// Differs is what Limpet does instead, by the name of the difference: "status", "Location" or "pod target". Empty texts
	// mean that it is missing.
	Differs map[string]string
	// Why is the reason for Differs.
	Why string
}

// Limpet and nginx must respond in the same way, and send the same to pods.
func TestSame_asNginx(t *testing.T) {
	text, err := os.ReadFile("testdata/same/requests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var requests []sameRequest
	if err := yaml.UnmarshalStrict(text, &requests); err != nil {
		t.Fatal(err)
	}
	startPods(t)
	l := startLimpet(t, []string{"testdata/same/ingresses.yaml", "testdata/same/combinations.yaml"})
	reference := startNginx(t)
	for i := range requests {
		c := &requests[i]
		t.Run(strings.TrimSpace(c.Method+" "+c.URL), func(t *testing.T) { compare(t, c, l.client, reference) })
	}
}

func compare(t *testing.T, c *sameRequest, limpet, reference *http.Client) {
	t.Helper()
	if (len(c.Differs) > 0) != (c.Why != "") {
		t.Error("a difference must have a reason, and a reason a difference")
	}
	for n := range max(c.Repeat, 1) {
		want, got := observe(t, reference, &c.request), observe(t, limpet, &c.request)
		for name, value := range c.Differs {
			if want[name] == value {
				t.Errorf("request %d: %s is %q in nginx too: it is no difference", n, name, value)
			}
			want[name] = value
		}
		for _, name := range observed {
			if got[name] != want[name] {
				t.Errorf("request %d: %s is %q, want %q", n, name, got[name], want[name])
			}
		}
	}
}

// The properties of an exchange that are compared.
var (
	responseFields = []string{
		"Location", "Www-Authenticate", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
		"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Access-Control-Expose-Headers",
		"Set-Cookie", "Refresh", "X-Frame-Options",
	}
	podFields = []string{
		"name", "method", "target", "host", "body", "Authorization", "X-Forwarded-Prefix", "X-Forwarded-Host", "X-Forwarded-Proto", "X-User",
		"X-Saw", "X-Code", "X-Format", "X-Original-Uri", "X-Namespace", "X-Ingress-Name", "X-Service-Name",
		"X-Saw", "X-Code", "X-Format", "X-Original-Uri", "X-Namespace", "X-Ingress-Name", "X-Service-Name",
	}
	observed = slices.Concat([]string{"status"}, responseFields, prefixed(podFields))
)

func prefixed(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, "pod "+name)
	}
	return out
}

// observe sends a request and returns what client and pod see.
func observe(t *testing.T, client *http.Client, c *request) map[string]string {
	t.Helper()
	got := send(t, client, c, nil)
	out := map[string]string{"status": strconv.Itoa(got.status)}
	for _, name := range responseFields {
		out[name] = strings.Join(got.header.Values(name), "\n")
	}
	var pod seen
	if json.Unmarshal(got.body, &pod) != nil {
		return out
	}
	for _, name := range podFields {
		out["pod "+name] = pod.get(name)
	}
	return out
}

// startNginx starts nginx. The test ends it.
func startNginx(t *testing.T) *http.Client {
	t.Helper()
	dir := t.TempDir()
	conf, err := os.ReadFile("testdata/same/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := keyPair(t, "nginx.test")
	text := strings.NewReplacer("HTTPS", nginxHTTPS, "HTTP;", nginxHTTP+";",
		"PODTLS", podAddresses[0]+":"+tlsPort,
		"POD1", podAddresses[0]+":"+clearPort, "POD2", podAddresses[1]+":"+clearPort, "POD3", podAddresses[2]+":"+clearPort,
		"CERTIFICATE", "cert.pem", "KEY", "key.pem").Replace(string(conf))
	htpasswd, err := os.ReadFile("testdata/same/htpasswd")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"nginx.conf": []byte(text), "cert.pem": cert, "key.pem": key, "htpasswd": htpasswd,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatalf("%v: Debian has it in the package nginx", err)
	}
	cmd := exec.Command(program, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	startProcess(t, cmd)
	awaitListener(t, nginxHTTP)
	return newClient(nginxHTTP, nginxHTTPS)
}
