package h2spec

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/programs"
)

// Fixed addresses are safe in the sandbox. The address of the pod is also in testdata.
const (
	httpPort  = "8081"
	httpsPort = "8443"
	admin     = "127.0.0.1:9090"
	pod       = "10.250.0.1:8080"
)

// startPod runs a server that reads the request body and responds with enough data to fill the small windows of
// some cases.
func startPod(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", pod)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, strings.Repeat("a body of many bytes\n", 100))
		})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
}

// startLimpet runs the binary until the test ends. It returns when limpet is ready.
func startLimpet(t *testing.T) {
	t.Helper()
	cmd := exec.Command(programs.Limpet.Path(), "dev", "--manifests", "testdata", "--http-addr", "127.0.0.1:"+httpPort,
		"--https-addr", "127.0.0.1:"+httpsPort, "--admin-addr", admin, "--access-log=false",
		"--stop-delay=0s", "--stop-timeout=1s")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("limpet exited with an error: %v", err)
		}
	})
	programs.AwaitReady(t, admin)
}
