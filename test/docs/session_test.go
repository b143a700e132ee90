package docs

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/pages"
	"github.com/limpet-dev/limpet/test/programs"
)

// session runs the blocks of a page from top to bottom, in a directory that looks like the checkout.
type session struct {
	dir     string
	cluster *cluster
}

func newSession(t *testing.T) *session {
	t.Helper()
	s := &session{dir: t.TempDir()}
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"charts", "config"} {
		link(t, filepath.Join(checkout, name), filepath.Join(s.dir, name))
	}
	for _, dir := range []string{"bin", ".bin"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link(t, programs.Limpet.Path(), filepath.Join(s.dir, "bin/limpet"))
	for _, p := range []programs.Program{programs.Limpet, programs.Helm, programs.Kubectl} {
		link(t, p.Path(), filepath.Join(s.dir, ".bin", string(p)))
	}
	// make runs in the checkout, with one small package instead of all.
	script := fmt.Sprintf("#!/bin/sh\nexec env PKG=./pkg/model /usr/bin/make --no-print-directory -C %q \"$@\"\n", checkout)
	if err := os.WriteFile(filepath.Join(s.dir, ".bin/make"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cluster.end(t) })
	return s
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// command returns bash in the directory of the session. When ctx is done, it and its children are terminated.
func command(ctx context.Context, dir, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = dir
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LIMPET_TEST_") })
	cmd.Env = append(environ, "PATH="+filepath.Join(dir, ".bin")+":"+os.Getenv("PATH"),
		"KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "KUBECACHEDIR="+filepath.Join(dir, ".kube"),
		"HELM_CACHE_HOME="+dir, "HELM_CONFIG_HOME="+dir, "HELM_DATA_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	return cmd
}

// run runs a block and returns its output.
func (s *session) run(t *testing.T, script string) string {
	t.Helper()
	if s.cluster == nil && pages.NeedsCluster(script) {
		s.freshCluster(t)
	}
	out, err := command(t.Context(), s.dir, script).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		said, _ := os.ReadFile(filepath.Join(s.dir, runLog)) // missing without a cluster
		t.Logf("limpet run said:\n%s", said)
	}
	return string(out)
}

func (s *session) freshCluster(t *testing.T) {
	t.Helper()
	s.cluster.end(t)
	s.cluster = newCluster(t, filepath.Join(s.dir, "kubeconfig"))
}

// start starts a block that does not exit, and waits until its limpet is ready.
func (s *session) start(t *testing.T, whole *testing.T, script string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := command(ctx, s.dir, script)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	whole.Cleanup(func() {
		cancel()
		<-ended
	})
	if err := awaitReady(t, adminAddress(script), ended); err != nil {
		cancel()
		<-ended
		ended <- err
		t.Fatalf("%v\n%s", err, out.String())
	}
}

var adminFlag = regexp.MustCompile(`--admin-addr[ =](\S+)`)

func adminAddress(script string) string {
	if m := adminFlag.FindStringSubmatch(script); m != nil {
		return m[1]
	}
	return "127.0.0.1:9090"
}

// awaitReady polls /readyz. The timeout allows for compiling limpet.
func awaitReady(t *testing.T, address string, ended <-chan error) error {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(5 * time.Minute); ; {
		resp, err := client.Get("http://" + address + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			return fmt.Errorf("limpet exited: %w", err)
		case <-limit:
			return fmt.Errorf("not ready after 5 minutes: %w", err)
		case <-tick.C:
		}
	}
}

// pods starts servers on the given ports that respond with their name.
func (s *session) pods(t *testing.T, whole *testing.T, ports []string) {
	t.Helper()
	for _, port := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, "pod", port)
		})}
		go func() { _ = server.Serve(l) }() // returns after Close
		whole.Cleanup(func() { server.Close() })
	}
}

// write writes a block to a file in the directory.
func (s *session) write(t *testing.T, name, body string) {
	t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
}
