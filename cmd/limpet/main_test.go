package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/test/wait"
)

// output collects the output of a command. A test may read it while the command runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run runs a command to its end.
func run(t *testing.T, args ...string) (status int, out, err string) {
	t.Helper()
	var stdout, stderr output
	failure := dispatch(t.Context(), append([]string{"limpet"}, args...), streams{&stdout, &stderr})
	return exitStatus(failure), stdout.String(), stderr.String()
}

// process is a command that runs until the test ends it.
type process struct {
	out, err           output
	http, https, admin string
	cancel             context.CancelFunc
	ended              chan error
}

// start runs a command that serves, on addresses of its own, and waits until it is ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	addresses := freeAddresses(t, 3)
	p := &process{http: addresses[0], https: addresses[1], admin: addresses[2], ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	p.cancel = cancel
	args = append(args, "--http-addr", p.http, "--https-addr", p.https, "--admin-addr", p.admin)
	go func() { p.ended <- dispatch(ctx, append([]string{"limpet"}, args...), streams{&p.out, &p.err}) }()
	t.Cleanup(cancel)
	wait.Until(t, "the process is ready", func() bool { return get(p.admin, "/readyz") == "ok\n" })
	return p
}

func (p *process) stop(t *testing.T) {
	t.Helper()
	p.cancel()
	if err := <-p.ended; err != nil {
		t.Errorf("ended with %v; it said:\n%s", err, p.err.String())
	}
}

// freeAddresses holds all of them before it releases any: they differ.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	addresses := make([]string, n)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addresses[i] = l.Addr().String()
	}
	return addresses
}

func get(address, path string) string {
	answer, err := http.Get("http://" + address + path)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestUsageErrors_status2(t *testing.T) {
	broken := t.TempDir()
	write(t, broken, "bad.yaml", "kind: Service\napiVersion: v1\nmetadata: {name: a}\nspec: {prots: []}\n")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no command":              {nil, "limpet [command]"},
		"unknown command":         {[]string{"serve"}, `unknown command "serve"`},
		"unknown flag":            {[]string{"dev", "--nonsense"}, "-nonsense"},
		"positional argument":     {[]string{"dev", "here"}, `unexpected argument "here"`},
		"no manifests":            {[]string{"dev"}, "--manifests is required"},
		"missing folder":          {[]string{"dev", "--manifests", broken + "/none"}, "no such file"},
		"file that is not valid":  {[]string{"dev", "--manifests", broken}, "bad.yaml:4: "},
		"bad external name":       {[]string{"dev", "--external-names", "a b"}, "neither a DNS name"},
		"bad metrics detail":      {[]string{"dev", "--metrics-detail", "pod"}, "controller or namespace or pool or endpoint"},
		"bad metrics limit":       {[]string{"dev", "--metrics-max-series", "10"}, "must be 0 or at least 1000"},
		"bad log format":          {[]string{"dev", "--log-format", "xml"}, "must be json or text"},
		"bad proxies":             {[]string{"dev", "--trusted-proxies", "10.0.0.0/33"}, "neither an address nor a CIDR"},
		"bad client header":       {[]string{"dev", "--client-address-headers", "X-Client-IP"}, "not one of X-Forwarded-For, Forwarded"},
		"bad via":                 {[]string{"dev", "--via", "a b"}, "must be one word"},
		"bad server header":       {[]string{"dev", "--server-header", "a\nb"}, "must be one word"},
		"timeout of no time":      {[]string{"dev", "--timeout-response", "0s"}, "from 100ms to 24h0m0s"},
		"timeout without a unit":  {[]string{"dev", "--timeout-head", "10"}, "must be a duration such as"},
		"too small a head":        {[]string{"dev", "--max-head-bytes", "100"}, "from 1024 to 1048576"},
		"too few sessions":        {[]string{"dev", "--session-store-entries", "3"}, "from 1000 to 100000000"},
		"too short a session":     {[]string{"dev", "--session-store-idle", "10ms"}, "from 1s to"},
		"negative body":           {[]string{"dev", "--max-body-bytes", "-1"}, "from 0 to"},
		"no attempts":             {[]string{"dev", "--max-attempts", "0"}, "from 1 to 10"},
		"no status workers":       {[]string{"run", "--status-workers", "0"}, "from 1 to 100"},
		"no requests per second":  {[]string{"run", "--kube-api-qps", "0"}, "from 1 to 10000"},
		"missing key file":        {[]string{"dev", "--manifests", t.TempDir(), "--affinity-keys", broken + "/k"}, "--affinity-keys"},
		"bad session store":       {[]string{"dev", "--manifests", t.TempDir(), "--session-store", "mongo://x"}, "--session-store"},
		"requests below 0":        {[]string{"dev", "--manifests", t.TempDir(), "--max-requests-per-connection=-1"}, "must not be negative"},
		"connections below 0":     {[]string{"dev", "--manifests", t.TempDir(), "--max-connections", "-1"}, "--max-connections"},
		"bad default certificate": {[]string{"dev", "--default-certificate", "wildcard"}, "it must be namespace/name"},
		"missing token file":      {[]string{"dev", "--admin-token-file", broken + "/none"}, "--admin-token-file"},
		"bad TLS version":         {[]string{"dev", "--tls-min-version", "1.1"}, "it must be 1.2 or 1.3"},
		"insecure suite":          {[]string{"dev", "--tls-ciphers", "TLS_RSA_WITH_RC4_128_SHA"}, "is not secure"},
		"bad HSTS":                {[]string{"dev", "--hsts", "includeSubDomains"}, "it must be off, or max-age=SECONDS"},
		"suite of TLS 1.3":        {[]string{"dev", "--tls-ciphers", "TLS_AES_128_GCM_SHA256"}, "unknown TLS 1.2 cipher suite"},
		"unknown suite":           {[]string{"dev", "--tls-ciphers", "ECDHE-RSA-AES128-SHA"}, "must be one of TLS_ECDHE_"},
		"run without namespace":   {[]string{"run", "--kubeconfig", broken + "/none"}, "no such file"},
		"check without file":      {[]string{"check"}, "-f or --cluster is required"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, stderr := run(t, c.args...)
			if status != exitUsage || !strings.Contains(stderr, c.says) {
				t.Errorf("status %d, want %d with %q; it said:\n%s", status, exitUsage, c.says, stderr)
			}
		})
	}
}

func TestEnvironment_commandLineWins(t *testing.T) {
	t.Setenv("LIMPET_HTTP_ADDR", "127.0.0.1:1")
	t.Setenv("LIMPET_INGRESS_CLASS", "nginx,limpet")
	t.Setenv("LIMPET_TRUSTED_PROXIES", "10.1.2.3, 192.168.7.7/16")
	var o options
	cmd := &cobra.Command{PreRunE: readEnvironment, RunE: func(*cobra.Command, []string) error { return nil }}
	o.register(flagSet{cmd.Flags()}, devDefaults)
	cmd.SetArgs([]string{"--http-addr", "127.0.0.1:2"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if o.httpAddr != "127.0.0.1:2" || o.classes.String() != "nginx,limpet" || o.trusted.String() != "10.1.2.3/32,192.168.0.0/16" {
		t.Errorf("got %q, %q, %q", o.httpAddr, o.classes.String(), o.trusted.String())
	}
}

func TestEnvironment_invalidValue(t *testing.T) {
	t.Setenv("LIMPET_ACCESS_LOG", "maybe")
	status, _, stderr := run(t, "dev", "--manifests", t.TempDir())
	if status != exitUsage || !strings.Contains(stderr, `LIMPET_ACCESS_LOG="maybe"`) {
		t.Errorf("status %d; it said:\n%s", status, stderr)
	}
}

func TestCheck_printsRoutesAndProblems(t *testing.T) {
	good, bad := t.TempDir(), t.TempDir()
	for _, dir := range []string{good, bad} {
		text, err := demoManifests.ReadFile("demo/cart.yaml")
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, "cart.yaml", string(text))
	}
	if status, out, stderr := run(t, "check", "-f", good); status != 0 || !strings.Contains(out, "binding: Issued") {
		t.Errorf("status %d; it printed:\n%s%s", status, out, stderr)
	}
	write(t, bad, "more.yaml", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: more\n"+
		"  annotations: {limpet.dev/afinity: cookie}\nspec:\n  rules:\n  - host: more.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n"+
		"        backend: {service: {name: none, port: {number: 80}}}\n")
	status, out, stderr := run(t, "check", "-f", bad)
	if status != exitFailure || !strings.Contains(stderr, "limpet.dev/affinity") || !strings.Contains(stderr, "ServiceNotFound") {
		t.Errorf("status %d; it printed:\n%s", status, stderr)
	}
	if strings.Contains(out, "ServiceNotFound") {
		t.Errorf("problems are on standard output:\n%s", out)
	}
}

func TestDemo_sticky(t *testing.T) {
	p := start(t, "demo", "--access-log=false")
	if got := strings.Count(p.out.String(), "\n  curl ") + strings.Count(p.out.String(), "\n  sed "); got != 3 {
		t.Errorf("it prints %d commands to try, want 3:\n%s", got, p.out.String())
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.http+"/", nil)
	r.Header.Set("X-Session-Id", "alice")
	pods := map[string]bool{}
	for range 5 {
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		pods[strings.SplitN(string(body), ",", 2)[0]] = true
	}
	if len(pods) != 1 {
		t.Errorf("one client was served by %v", pods)
	}
	p.stop(t)
}

func TestDev_brokenEditKeepsServing(t *testing.T) {
	dir := t.TempDir()
	text, err := demoManifests.ReadFile("demo/cart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cart.yaml", string(text))
	p := start(t, "dev", "--manifests", dir)
	if got := get(p.http, "/"); !strings.Contains(got, "No pod is ready") {
		t.Fatalf("before the edit: %q", got)
	}
	write(t, dir, "cart.yaml", "kind: Ingress\napiVersion: networking.k8s.io/v1\nspec: [\n")
	wait.Until(t, "the broken file is named", func() bool { return strings.Contains(p.err.String(), "cart.yaml:") })
	if got := get(p.http, "/"); !strings.Contains(got, "No pod is ready") {
		t.Errorf("after a broken edit: %q", got)
	}
	write(t, dir, "cart.yaml", "")
	wait.Until(t, "the mended file is applied", func() bool { return strings.Contains(get(p.http, "/"), "No route") })
	p.stop(t)
}
