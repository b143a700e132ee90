package docs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/programs"
)

// cluster is the cluster for the commands of a page: an API server without nodes, the objects of testdata, and a
// `limpet run` instead of its pods, which no kubelet starts.
type cluster struct {
	plane *controlplane.Plane
	stop  context.CancelFunc
}

// runLog is the log file of limpet, in the directory of the kubeconfig.
const runLog = "run.log"

// newCluster starts a cluster and writes its kubeconfig to the file.
func newCluster(t *testing.T, kubeconfig string) *cluster {
	t.Helper()
	plane, err := controlplane.Start()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context())) // lives as long as the page, not the block
	c := &cluster{plane, cancel}
	if err := os.WriteFile(kubeconfig, plane.Kubeconfig(), 0o600); err != nil {
		t.Fatal(err)
	}
	shop, err := filepath.Abs("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	run := command(ctx, filepath.Dir(kubeconfig), fmt.Sprintf("exec %s run --kubeconfig %s --namespace limpet-system"+
		" --http-addr '' --https-addr '' --admin-addr 127.0.0.1:9091 --publish-address 203.0.113.10"+
		" --stop-delay 0s --stop-timeout 1s > %s 2>&1",
		programs.Limpet.Path(), kubeconfig, runLog))
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	c.stop = func() { cancel(); _ = run.Wait() } // terminated by cancel
	apply := command(ctx, filepath.Dir(kubeconfig), "kubectl apply -f "+shop)
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

// end stops the cluster. It may be called on nil.
func (c *cluster) end(t *testing.T) {
	t.Helper()
	if c == nil {
		return
	}
	c.stop()
	if err := c.plane.Stop(); err != nil {
		t.Error(err)
	}
}
