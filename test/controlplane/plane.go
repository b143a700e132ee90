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

// Timeouts for each program, which takes a few seconds on two idle cores.
const (
	startTimeout = 90 * time.Second
	stopTimeout  = 20 * time.Second
)

// Plane is a running control plane. Its methods are not safe for concurrent use; Config is.
type Plane struct {
	// Config has admin rights and no client-side rate limit.
	Config *rest.Config

	env     *envtest.Environment
	manager *manager
}

// Start starts etcd and kube-apiserver on free loopback ports, and installs the CustomResourceDefinitions of
// config/crd. If it fails, it stops what it has started.
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
	// Without a default route, the API server cannot detect its own address.
	p.env.ControlPlane.GetAPIServer().Configure().Set("advertise-address", "127.0.0.1")
	if p.Config, err = p.env.Start(); err != nil {
		_ = p.env.Stop() // report the first error
		return nil, fmt.Errorf("starting the control plane with the programs in %s: %w", assets, err)
	}
	return p, nil
}

// Kubeconfig returns a kubeconfig file with admin rights, for other programs.
func (p *Plane) Kubeconfig() []byte { return p.env.KubeConfig }

// EtcdURL returns the URL of etcd, which requires no credentials.
func (p *Plane) EtcdURL() string { return p.env.ControlPlane.Etcd.URL.String() }

// SigningKey returns the private key with which the API server signs tokens of ServiceAccounts, in PEM.
func (p *Plane) SigningKey() ([]byte, error) {
	return os.ReadFile(filepath.Join(p.env.ControlPlane.GetAPIServer().CertDir, "sa-signer.key"))
}

// Stop stops all programs, and waits for each with a timeout.
func (p *Plane) Stop() error {
	if p.manager != nil {
		p.manager.stop()
	}
	return p.env.Stop()
}

// Find builds the programs if they are missing, and stores their path in the environment. It must be called before
// sandbox.Main, because nothing can be downloaded inside the sandbox.
func Find() error {
	dir, err := assets()
	if err != nil {
		return err
	}
	return os.Setenv("KUBEBUILDER_ASSETS", dir)
}

// assets returns the directory of etcd and kube-apiserver, and builds them if they are missing.
func assets() (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		return dir, nil
	}
	return build()
}

// build runs hack/controlplane/build.sh, and returns the directory that it prints.
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
