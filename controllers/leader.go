package controllers

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// leader takes part in leader election and runs the tasks of the leader while it holds the lease.
//
// When the lease is lost, the tasks end and the next election starts. The leader election of controller-runtime's
// manager is not used, because it ends the process on a lost lease, and with it every connection.
type leader struct {
	config leaderelection.LeaderElectionConfig
	// tasks are started concurrently when the lease is acquired. Each must return soon after its context is done.
	tasks   []func(ctx context.Context)
	log     logr.Logger
	leading *atomic.Bool
	// term is held while the tasks run, so that the tasks of two terms never overlap.
	term sync.Mutex
}

func newLeader(o *Options, tasks ...func(context.Context)) (*leader, error) {
	clients, err := kubernetes.NewForConfig(o.leaseConfig())
	if err != nil {
		return nil, fmt.Errorf("creating the client for leader election: %w", err)
	}
	identity, err := identity(o.Identity)
	if err != nil {
		return nil, err
	}
	leading := o.Leading
	if leading == nil {
		leading = &atomic.Bool{}
	}
	return &leader{
		leading: leading,
		config: leaderelection.LeaderElectionConfig{
			Name: o.LeaseName,
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Namespace: o.Namespace, Name: o.LeaseName},
				Client:     clients.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
			},
			// Same ratio as the defaults of client-go: 15 s, 10 s and 2 s.
			LeaseDuration:   o.LeaseDuration,
			RenewDeadline:   o.LeaseDuration * 10 / 15,
			RetryPeriod:     o.LeaseDuration * 2 / 15,
			ReleaseOnCancel: true,
		},
		tasks: tasks,
		log:   o.Log,
	}, nil
}

// identity returns the identity of this replica in the lease. The default is the host name with a random suffix.
func identity(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("getting the host name for leader election: %w", err)
	}
	return host + "_" + string(uuid.NewUUID()), nil
}

// Start takes part in leader election until the context is done, and returns after the tasks have ended. It
// implements manager.Runnable.
func (l *leader) Start(ctx context.Context) error {
	config := l.config
	config.Callbacks = leaderelection.LeaderCallbacks{OnStartedLeading: l.lead, OnStoppedLeading: func() {}}
	ctx = klog.NewContext(ctx, l.log)
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(config)
		if err != nil {
			return fmt.Errorf("leader election: %w", err)
		}
		elector.Run(ctx)
	}
	l.term.Lock() // wait for the tasks of the last term
	defer l.term.Unlock()
	return nil
}

// lead runs the tasks for one term. The elector calls it in its own goroutine and does not wait for it to return.
func (l *leader) lead(ctx context.Context) {
	l.term.Lock()
	defer l.term.Unlock()
	l.leading.Store(true)
	defer l.leading.Store(false)
	l.log.Info("Started leading")
	var running sync.WaitGroup
	for _, task := range l.tasks {
		running.Go(func() { task(ctx) })
	}
	running.Wait()
	l.log.Info("Stopped leading")
}
