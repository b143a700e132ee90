package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/limpet-dev/limpet/test/controlplane"
)

// bench is one run against one control plane.
type bench struct {
	*settings
	dir        string
	kubeconfig string
	plane      *controlplane.Plane
	fleet      *fleet
	files      int // that this process and its children may open
}

// open starts the control plane and the pods, and writes the objects that all sizes share.
func (s *settings) open(ctx context.Context) (*bench, error) {
	b := &bench{settings: s, files: raiseFileLimit()}
	var err error
	if b.dir, err = os.MkdirTemp("", "limpet-scale-"); err != nil {
		return nil, err
	}
	if b.plane, err = controlplane.Start(); err != nil {
		return b, err
	}
	b.kubeconfig = filepath.Join(b.dir, "kubeconfig")
	if err := os.WriteFile(b.kubeconfig, b.plane.Kubeconfig(), 0o600); err != nil {
		return b, err
	}
	config := rest.CopyConfig(b.plane.Config)
	config.ContentType, config.QPS = "application/vnd.kubernetes.protobuf", -1
	api, err := kubernetes.NewForConfig(config)
	if err != nil {
		return b, err
	}
	b.fleet = &fleet{api: api, etcd: b.plane.EtcdURL()}
	if err := b.fleet.prepare(ctx); err != nil {
		return b, err
	}
	if err := b.fleet.prepareRemoval(ctx); err != nil {
		return b, err
	}
	return b, startPods()
}

// raiseFileLimit raises the maximum number of open files for the idle connections, and returns it. Only root can exceed the hard
// limit.
func raiseFileLimit() int {
	const wanted = 2*idleConnections + 20_000
	limit := syscall.Rlimit{Cur: wanted, Max: wanted}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		return wanted
	}
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	limit.Cur = limit.Max
	_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) // fewer idle connections are opened then
	return int(limit.Cur)
}

func (b *bench) close() {
	if b.plane != nil {
		_ = b.plane.Stop() // the sandbox ends what is left
	}
	os.RemoveAll(b.dir)
}

// measureSizes measures each size, from the smallest, in a new control plane.
func (s *settings) measureSizes(measure func(context.Context, *bench, int) error) error {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	b, err := s.open(ctx)
	if b != nil {
		defer b.close()
	}
	if err != nil {
		return err
	}
	for _, size := range s.sizes {
		before := time.Now()
		if err := b.fleet.grow(ctx, size); err != nil {
			return fmt.Errorf("writing %d Ingresses: %w", size, err)
		}
		b.progress("%d Ingresses written after %s", size, time.Since(before).Round(time.Second))
		if err := measure(ctx, b, size); err != nil {
			return fmt.Errorf("with %d Ingresses: %w", size, err)
		}
		b.progress("%d Ingresses measured after %s", size, time.Since(before).Round(time.Second))
	}
	return nil
}

func (b *bench) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "scale: "+format+"\n", args...)
}
