package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// reading is the time that a command took to read the objects of the fleet from files.
type reading struct {
	took, cpu time.Duration
}

// measureFiles measures limpet check and limpet dev with the Ingresses, Services and EndpointSlices of the fleet in files, one
// for each namespace.
func (b *bench) measureFiles(ctx context.Context, f *figures, _ *replica) error {
	dir, err := os.MkdirTemp(b.dir, "manifests-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.fleet.writeFiles(dir); err != nil {
		return err
	}
	if f.check, err = b.read(ctx, nil, "check", "-f", dir); err != nil {
		return err
	}
	const admin = "127.0.0.1:19099"
	f.dev, err = b.read(ctx, func() bool { return isReadyAt(admin) }, "dev", "--manifests", dir, "--http-addr", "127.0.0.1:0",
		"--https-addr", "", "--admin-addr", admin, "--access-log=false", "--stop-delay=0s")
	return err
}

// read runs limpet until it ends or, if isReady is not nil, until that returns true.
func (b *bench) read(ctx context.Context, isReady func() bool, args ...string) (reading, error) {
	cmd := exec.CommandContext(ctx, b.limpet, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var errors bytes.Buffer
	cmd.Stderr = &errors
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return reading{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	took, stopped := time.Duration(0), false
	for isReady != nil && took == 0 {
		select {
		case err := <-ended:
			return reading{}, fmt.Errorf("limpet %s ended: %w\n%s", args[0], err, errors.Bytes())
		case <-time.After(time.Millisecond):
		}
		if isReady() {
			took, stopped = time.Since(started), true
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := <-ended; err != nil && !stopped {
		return reading{}, fmt.Errorf("limpet %s: %w\n%s", args[0], err, errors.Bytes())
	}
	if !stopped {
		took = time.Since(started)
	}
	return reading{took, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

func isReadyAt(admin string) bool {
	response, err := (&http.Client{Timeout: time.Second}).Get("http://" + admin + "/readyz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// writeFiles writes the objects that the commands read.
func (f *fleet) writeFiles(dir string) error {
	for first := 0; first < f.size; first += perNamespace {
		var text bytes.Buffer
		for i := first; i < min(first+perNamespace, f.size); i++ {
			for _, object := range []runtime.Object{f.ingress(i), serviceObject(i), f.slice(i, true)} {
				if err := writeObject(&text, object); err != nil {
					return err
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, namespaceOf(first)+".yaml"), text.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func writeObject(text *bytes.Buffer, object runtime.Object) error {
	kinds, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		return err
	}
	object.GetObjectKind().SetGroupVersionKind(kinds[0])
	one, err := yaml.Marshal(object)
	text.WriteString("---\n")
	text.Write(one)
	return err
}
