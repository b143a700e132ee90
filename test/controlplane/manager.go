package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// controllers are the controllers that create Pods and EndpointSlices from Deployments and Services. The Pods do
// not run: tests bind them to a node and write their status.
const controllers = "deployment-controller,replicaset-controller,endpointslice-controller"

// manager is a running kube-controller-manager.
type manager struct {
	cmd    *exec.Cmd
	dir    string
	cancel context.CancelFunc
	exited chan struct{}
	output bytes.Buffer // must be read only after exited is closed
}

// StartControllerManager adds kube-controller-manager to a running control plane. It returns before the controllers
// work, which takes a second or two.
func (p *Plane) StartControllerManager() error {
	program, err := controllerManager()
	if err != nil {
		return err
	}
	user, err := p.env.AddUser(envtest.User{Name: "kube-controller-manager", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return fmt.Errorf("adding a user for kube-controller-manager: %w", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return fmt.Errorf("creating the kubeconfig of kube-controller-manager: %w", err)
	}
	p.manager, err = startManager(program, kubeconfig)
	return err
}

func startManager(program string, kubeconfig []byte) (*manager, error) {
	dir, err := os.MkdirTemp("", "limpet-controller-manager-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(config, kubeconfig, 0o600); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &manager{dir: dir, cancel: cancel, exited: make(chan struct{})}
	m.cmd = exec.CommandContext(ctx, program, "--kubeconfig="+config, "--controllers="+controllers,
		"--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=2000")
	m.cmd.Stdout, m.cmd.Stderr = &m.output, &m.output
	m.cmd.Cancel = func() error { return m.cmd.Process.Signal(syscall.SIGTERM) }
	m.cmd.WaitDelay = stopTimeout
	if err := m.cmd.Start(); err != nil {
		cancel()
		os.RemoveAll(dir)
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	go m.wait(ctx)
	return m, nil
}

// wait logs the output if the program exits early. Otherwise tests would only time out.
func (m *manager) wait(ctx context.Context) {
	defer close(m.exited)
	if err := m.cmd.Wait(); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "kube-controller-manager: %v\n%s", err, m.output.Bytes())
	}
}

func (m *manager) stop() {
	m.cancel()
	<-m.exited
	os.RemoveAll(m.dir)
}

// controllerManager returns the path of the program. It builds it even if KUBEBUILDER_ASSETS is set, because the
// archives of setup-envtest do not contain it.
func controllerManager() (string, error) {
	dir, err := assets()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "kube-controller-manager")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if dir, err = build(); err != nil {
		return "", err
	}
	return filepath.Join(dir, "kube-controller-manager"), nil
}
