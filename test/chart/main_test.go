package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

const chartDir = "../../charts/limpet"

// Shared by all tests of the package.
var (
	cluster    client.Client
	kubeconfig string // path of the file
)

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Limpet, programs.Helm, programs.Kubectl); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m, setUp)
}

func setUp() (tearDown func(), err error) {
	plane, err := controlplane.Start()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "limpet-chart-")
	if err == nil {
		kubeconfig = filepath.Join(dir, "kubeconfig")
		err = os.WriteFile(kubeconfig, plane.Kubeconfig(), 0o600)
	}
	if err == nil {
		cluster, err = client.New(plane.Config, client.Options{Scheme: scheme})
	}
	stop := func() {
		os.RemoveAll(dir)
		if err := plane.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}
