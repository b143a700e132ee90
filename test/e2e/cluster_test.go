//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/limpet-dev/limpet/test/programs"
)

const (
	namespace = "limpet-system"
	// patience is the timeout of every wait, long enough for a busy machine.
	patience = 3 * time.Minute
)

// cluster is the cluster of KUBECONFIG.
type cluster struct {
	node string // address of a node, for NodePorts
	port string // NodePort of Limpet, with a leading colon
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("KUBECONFIG") == "" {
		t.Fatal("KUBECONFIG is not set; run hack/e2e.sh (make e2e)")
	}
	c := &cluster{port: ":30080"}
	c.node = c.kubectl(t, "get", "nodes", "-o", `jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}`)
	return c
}

// kubectl runs kubectl and returns its output.
func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return c.run(t, "", programs.Kubectl, args...)
}

// apply applies a manifest in a namespace.
func (c *cluster) apply(t *testing.T, namespace, manifest string) {
	t.Helper()
	c.run(t, manifest, programs.Kubectl, "apply", "--namespace", namespace, "-f", "-")
}

func (c *cluster) helm(t *testing.T, args ...string) string {
	t.Helper()
	return c.run(t, "", programs.Helm, args...)
}

// runFailing runs a program that must exit with 1, and returns its output.
func (c *cluster) runFailing(t *testing.T, input string, program programs.Program, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program.Path(), args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	var exited *exec.ExitError
	if !errors.As(err, &exited) || exited.ExitCode() != 1 {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (c *cluster) run(t *testing.T, input string, program programs.Program, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program.Path(), args...)
	cmd.Stdin = strings.NewReader(input)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, out.String(), errs.String())
	}
	return strings.TrimSpace(out.String())
}

// get reads objects.
func get[T any](t *testing.T, c *cluster, args ...string) (into T) {
	t.Helper()
	text := c.kubectl(t, append([]string{"get", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &into); err != nil {
		t.Fatal(err)
	}
	return into
}

// eventually retries check until it returns nil.
func eventually(t *testing.T, check func(ctx context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}

// status sends a request for host to an address, and returns the status of the response.
func status(ctx context.Context, address, host string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return 0, err
	}
	r.Host, r.Close = host, true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return resp.StatusCode, nil
}

// describe logs the state of the cluster for debugging.
func (c *cluster) describe(t *testing.T) {
	t.Helper()
	t.Log(c.kubectl(t, "get", "pods", "--all-namespaces", "-o", "wide"))
	t.Log(c.kubectl(t, "get", "events", "--all-namespaces", "--sort-by=.lastTimestamp"))
	t.Log(c.kubectl(t, "logs", "--namespace", namespace, "--selector=app.kubernetes.io/name=limpet", "--tail=20", "--prefix"))
}
