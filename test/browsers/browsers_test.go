//go:build browsers

package browsers

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/certificates"
	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

// Fixed addresses are safe in the sandbox. The addresses of the pods are also in testdata.
const (
	httpAddr  = "127.0.0.1:8081"
	httpsAddr = "127.0.0.1:8443"
	adminAddr = "127.0.0.1:9090"
)

// pageTimeout is the maximum duration of a page.
const pageTimeout = time.Minute

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Limpet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m, nil)
}

// result is what a page reports.
type result struct {
	Pods      int      `json:"pods"` // number of different pods
	Socket    int      `json:"socket"`
	Events    int      `json:"events"`
	Download  int      `json:"download"`
	Upload    int      `json:"upload"`
	Early     int      `json:"early"`
	GivenUp   string   `json:"givenUp"`
	PodsAfter int      `json:"podsAfter"`
	Protocols []string `json:"protocols"`
	Error     string   `json:"error"`
}

func TestChromium_allProtocols(t *testing.T) {
	reports := startPods(t)
	pin := startLimpet(t)
	for protocol, c := range map[string]struct {
		url   string
		flags []string
	}{
		"http/1.1": {"http://shop.example:8081/", nil},
		"h2":       {"https://shop.test:8443/", []string{"--disable-quic"}},
		"h3":       {"https://shop.test:8443/", []string{"--enable-quic", "--origin-to-force-quic-on=shop.test:8443"}},
	} {
		t.Run(protocol, func(t *testing.T) {
			visit(t, c.url, append(c.flags, "--ignore-certificate-errors-spki-list="+pin)...)
			want := result{
				Pods: 1, Socket: 300700, Events: 20, Download: downloadBytes, Upload: 5_000_000, Early: 16,
				GivenUp: "AbortError", PodsAfter: 1, Protocols: []string{protocol},
			}
			select {
			case got := <-reports:
				if !reflect.DeepEqual(got, want) {
					t.Errorf("the page reported %+v, want %+v", got, want)
				}
			case <-time.After(pageTimeout):
				t.Error("the page did not finish")
			}
		})
	}
}

// visit opens the page in a new browser, which is stopped when the test ends.
func visit(t *testing.T, url string, flags ...string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v; on Debian: hack/packages.sh chromium:chromium", err)
	}
	flags = append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * 127.0.0.1", url)
	run(t, exec.Command(path, flags...))
}

// startLimpet runs the binary, and returns the hash of the public key that the browser must trust.
func startLimpet(t *testing.T) (pin string) {
	t.Helper()
	dir := t.TempDir()
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pair := certificates.SelfSigned(t, x509.Certificate{DNSNames: []string{"shop.test"}})
	cert, key := certificates.PEM(t, pair)
	text := base64.StdEncoding.EncodeToString
	secret := fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: shop}\ntype: kubernetes.io/tls\n"+
		"data: {tls.crt: %s, tls.key: %s}\n", text(cert), text(key))
	for name, content := range map[string]string{"shop.yaml": string(shop), "secret.yaml": secret} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, exec.Command(programs.Limpet.Path(), "dev", "--manifests", dir, "--http-addr", httpAddr, "--https-addr", httpsAddr,
		"--http3-addr", httpsAddr, "--admin-addr", adminAddr, "--access-log=false", "--stop-delay=0s", "--stop-timeout=1s"))
	programs.AwaitReady(t, adminAddr)
	sum := sha256.Sum256(pair.Leaf.RawSubjectPublicKeyInfo)
	return text(sum[:])
}

// run starts a program that is killed with its children when the test ends. They share its standard error, and Wait
// waits for it to be closed.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // returns an error, because it was killed
	})
}
