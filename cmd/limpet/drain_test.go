package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/test/wait"
)

// podAPI responds like an API server that has the pod default/cart-a, until it is deleted. It records patches.
type podAPI struct {
	mu      sync.Mutex
	patches []string
	deleted bool
}

func (a *podAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if a.deleted || r.URL.Path != "/api/v1/namespaces/default/pods/cart-a" {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`))
		return
	}
	if r.Method == http.MethodPatch {
		body, _ := io.ReadAll(r.Body)
		a.patches = append(a.patches, r.Header.Get("Content-Type")+" "+string(body))
	}
	_, _ = w.Write([]byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"namespace":"default","name":"cart-a"}}`))
}

// startPodAPI returns the API server, and a kubeconfig for it.
func startPodAPI(t *testing.T) (api *podAPI, kubeconfig string) {
	t.Helper()
	api = &podAPI{}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	kubeconfig = filepath.Join(t.TempDir(), "config")
	text := fmt.Sprintf(`{"apiVersion":"v1","kind":"Config","current-context":"test","clusters":[{"name":"test","cluster":{"server":%q}}],`+
		`"contexts":[{"name":"test","context":{"cluster":"test","namespace":"default"}}]}`, server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return api, kubeconfig
}

// drainShop returns manifests of a sticky route with one pod, whose annotations are in JSON. If it is empty, there is no pod.
func drainShop(pod net.Addr, annotations string) string {
	address, port, _ := net.SplitHostPort(pod.String())
	text := explainShop[:strings.Index(explainShop, "---\napiVersion: discovery")] + fmt.Sprintf(`---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: "", port: %s}]
endpoints:
`, port)
	if annotations == "" {
		return text + "- {addresses: [127.0.0.9], targetRef: {kind: Pod, name: cart-z, uid: z}}\n"
	}
	return text + fmt.Sprintf(`- {addresses: [%s], targetRef: {kind: Pod, name: cart-a, uid: a}}
---
apiVersion: v1
kind: Pod
metadata: {name: cart-a, uid: a, annotations: %s}
spec: {containers: [{name: cart, image: cart}]}
`, address, annotations)
}

// startSessions serves drainShop, and starts sessions at its pod.
func startSessions(t *testing.T, clients int) (p *process, pod net.Addr, dir string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(app.Close)
	pod, dir = app.Listener.Addr(), t.TempDir()
	write(t, dir, "shop.yaml", drainShop(pod, "{}"))
	p = start(t, "dev", "--manifests", dir)
	for range clients {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.http+"/cart", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "shop.example.com"
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _ = response.Body.Close(); response.StatusCode != http.StatusOK {
			t.Fatalf("status %d", response.StatusCode)
		}
	}
	return p, pod, dir
}

func TestSessions_countsPods(t *testing.T) {
	p, _, _ := startSessions(t, 3)
	status, out, stderr := run(t, "sessions", "--admin", "http://"+p.admin, "--pool", "default/cart:80")
	row := regexp.MustCompile(`default/cart:80 +cart-a +3 +0 +100% +3 +0 +0 +ready\n`)
	if status != 0 || !row.MatchString(out) || stderr != "" {
		t.Errorf("status %d: %s%s", status, out, stderr)
	}
	status, out, stderr = run(t, "sessions", "--admin", "http://"+p.admin, "--pod", "default/cart-a", "-o", "json")
	var report sessions.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || status != 0 {
		t.Fatalf("status %d, %v: %s%s", status, err, out, stderr)
	}
	if left, found := report.Left(sessions.PodRef{Namespace: "default", Name: "cart-a"}); !found || left.Sessions != 3 || len(report.Replicas) != 1 {
		t.Errorf("got %+v", report)
	}
	if _, out, _ = run(t, "sessions", "--admin", "http://"+p.admin, "--pod", "cart-b"); out != "No pods found.\n" {
		t.Errorf("for another pod: %q", out)
	}
	p.stop(t)
}

func TestDrain_annotatesAndCounts(t *testing.T) {
	api, kubeconfig := startPodAPI(t)
	p, pod, dir := startSessions(t, 3)
	drain := func(args ...string) (int, string) {
		t.Helper()
		args = append([]string{"drain", "cart-a", "--kubeconfig", kubeconfig, "--admin", "http://" + p.admin}, args...)
		status, out, stderr := run(t, args...)
		return status, out + stderr
	}
	if status, out := drain(); status != 0 || out != "3 sessions left, not draining yet\n" {
		t.Errorf("before Limpet sees the annotation: status %d: %s", status, out)
	}
	write(t, dir, "shop.yaml", drainShop(pod, `{limpet.dev/drain: "true"}`))
	wait.Until(t, "the pod drains", func() bool { return strings.Contains(get(p.admin, "/debug/table"), `"Draining"`) })
	if status, out := drain("-n", "default"); status != 0 || out != "3 sessions left\n" {
		t.Errorf("status %d: %s", status, out)
	}
	if status, out := drain("--wait", "--timeout", "1s"); status != exitFailure || !strings.Contains(out, "cannot be deleted yet: 3 sessions left") {
		t.Errorf("with --wait: status %d: %s", status, out)
	}
	if status, out := drain("--undo"); status != 0 || out != "pod default/cart-a may get new sessions\n" {
		t.Errorf("with --undo: status %d: %s", status, out)
	}
	want := `application/merge-patch+json {"metadata":{"annotations":{"limpet.dev/drain":"true"}}}`
	undo := `application/merge-patch+json {"metadata":{"annotations":{"limpet.dev/drain":null}}}`
	if got := strings.Join(api.patches, "\n"); got != strings.Join([]string{want, want, want, undo}, "\n") {
		t.Errorf("patches are\n%s", got)
	}
	p.stop(t)
}

// The pod is deleted, or its sessions end, while the command waits.
func TestDrain_waitsUntilGone(t *testing.T) {
	api, kubeconfig := startPodAPI(t)
	p, pod, dir := startSessions(t, 1)
	write(t, dir, "shop.yaml", drainShop(pod, `{limpet.dev/drain: "true"}`))
	wait.Until(t, "the pod drains", func() bool { return strings.Contains(get(p.admin, "/debug/table"), `"Draining"`) })
	type result struct {
		status int
		out    string
	}
	ended := make(chan result, 1)
	go func() {
		status, out, stderr := run(t, "drain", "cart-a", "--kubeconfig", kubeconfig, "--admin", "http://"+p.admin, "--wait")
		ended <- result{status, out + stderr}
	}()
	wait.Until(t, "the annotation", func() bool {
		api.mu.Lock()
		defer api.mu.Unlock()
		return len(api.patches) > 0
	})
	api.mu.Lock()
	api.deleted = true
	api.mu.Unlock()
	write(t, dir, "shop.yaml", drainShop(pod, ""))
	if got := <-ended; got.status != 0 || !strings.HasSuffix(got.out, "the pod is gone\n") {
		t.Errorf("status %d: %s", got.status, got.out)
	}
	p.stop(t)
}

func TestDrain_usage(t *testing.T) {
	for _, args := range [][]string{
		{"drain"}, {"drain", "a", "b"}, {"drain", "a", "--undo", "--wait"}, {"drain", "a", "--timeout", "1m"},
		{"drain", "a", "--kubeconfig", filepath.Join(t.TempDir(), "none")}, {"sessions", "x"}, {"sessions", "-o", "yaml"},
	} {
		if status, _, stderr := run(t, args...); status != exitUsage {
			t.Errorf("%v: status %d: %s", args, status, stderr)
		}
	}
}
