package controlplane

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/config/crd"
)

// The longest that each program may take. They need a few seconds on two idle cores.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 20 * time.Second
)

// Plane is a running control plane. Its methods are for one goroutine; Config may be used by any number.
type Plane struct {
	// Config is that of an administrator, with no limit on the request rate.
	Config *rest.Config

	env     *envtest.Environment
	manager *manager
}

// Start starts etcd and kube-apiserver on free ports of the loopback interface, and installs the
// CustomResourceDefinitions of config/crd. What it has started when it fails, it stops.
func Start() (*Plane, error) {
	assets, err := assets()
	if err != nil {
		return nil, err
	}
	definition := new(apiextensionsv1.CustomResourceDefinition)
	if err := yaml.UnmarshalStrict(crd.AffinityPolicy, definition); err != nil {
		return nil, fmt.Errorf("reading the CustomResourceDefinition: %w", err)
	}
	p := &Plane{env: &envtest.Environment{
		BinaryAssetsDirectory:    assets,
		ControlPlaneStartTimeout: startTimeout,
		ControlPlaneStopTimeout:  stopTimeout,
		CRDs:                     []*apiextensionsv1.CustomResourceDefinition{definition},
	}}
	// Without a default route the API server finds no address of its own.
	p.env.ControlPlane.GetAPIServer().Configure().Set("advertise-address", "127.0.0.1")
	if p.Config, err = p.env.Start(); err != nil {
		_ = p.env.Stop() // the first error tells more
		return nil, fmt.Errorf("starting the control plane with the programs in %s: %w", assets, err)
	}
	return p, nil
}

// Kubeconfig is a file's worth of how to reach the API server as an administrator, for programs of their own.
func (p *Plane) Kubeconfig() []byte { return p.env.KubeConfig }

// Stop stops everything that was started, waiting a bounded time for each program.
func (p *Plane) Stop() error {
	if p.manager != nil {
		p.manager.stop()
	}
	return p.env.Stop()
}

// Find builds the programs if nobody has, and notes in the environment where they are. Call it before sandbox.Main:
// inside the sandbox nothing can be downloaded that a build may need.
func Find() error {
	dir, err := assets()
	if err != nil {
		return err
	}
	return os.Setenv("KUBEBUILDER_ASSETS", dir)
}

// assets gives the folder that holds etcd and kube-apiserver, building them when nobody has.
func assets() (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	return build()
}

// build runs hack/controlplane/build.sh, which is quick where it has run before, and gives the folder that it prints.
func build() (string, error) {
	gomod, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("finding the root of the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(gomod)))
	cmd := exec.Command(filepath.Join(root, "hack/controlplane/build.sh"))
	cmd.Env = append(os.Environ(), "KUBEBUILDER_ASSETS=")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("building the control plane: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
