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

// leader campaigns for the lease, and runs its duties for as long as it holds it. A lost lease ends the duties and
// starts the next campaign: the manager's own leader election would end the process instead, and every connection.
type leader struct {
	config leaderelection.LeaderElectionConfig
	// duties are called at the start of each term, at the same time. Each returns soon after its context ends.
	duties  []func(ctx context.Context)
	log     logr.Logger
	leading atomic.Bool
	// term is held by the duties of one term, so that those of two never meet.
	term sync.Mutex
}

func newLeader(o *Options, duties ...func(context.Context)) (*leader, error) {
	clients, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, fmt.Errorf("making the client for the lease: %w", err)
	}
	identity, err := identity(o.Identity)
	if err != nil {
		return nil, err
	}
	return &leader{
		config: leaderelection.LeaderElectionConfig{
			Name: o.LeaseName,
			Lock: &resourcelock.LeaseLock{
				LeaseMeta:  metav1.ObjectMeta{Namespace: o.Namespace, Name: o.LeaseName},
				Client:     clients.CoordinationV1(),
				LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
			},
			// The proportions of client-go's own 15 s, 10 s and 2 s.
			LeaseDuration:   o.LeaseDuration,
			RenewDeadline:   o.LeaseDuration * 10 / 15,
			RetryPeriod:     o.LeaseDuration * 2 / 15,
			ReleaseOnCancel: true,
		},
		duties: duties,
		log:    o.Log,
	}, nil
}

func identity(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("finding the host name for the lease: %w", err)
	}
	return host + "_" + string(uuid.NewUUID()), nil
}

// Start campaigns and serves its terms until the context ends. It implements manager.Runnable.
func (l *leader) Start(ctx context.Context) error {
	config := l.config
	config.Callbacks = leaderelection.LeaderCallbacks{OnStartedLeading: l.serve, OnStoppedLeading: func() {}}
	ctx = klog.NewContext(ctx, l.log)
	for ctx.Err() == nil {
		elector, err := leaderelection.NewLeaderElector(config)
		if err != nil {
			return fmt.Errorf("leader election: %w", err)
		}
		elector.Run(ctx)
	}
	l.term.Lock() // the last term is over
	defer l.term.Unlock()
	return nil
}

// serve is one term. The elector runs it in a goroutine of its own that it does not wait for.
func (l *leader) serve(ctx context.Context) {
	l.term.Lock()
	defer l.term.Unlock()
	l.leading.Store(true)
	defer l.leading.Store(false)
	l.log.Info("Leading: writing status, Events and the key Secret")
	var duties sync.WaitGroup
	for _, duty := range l.duties {
		duties.Go(func() { duty(ctx) })
	}
	duties.Wait()
	l.log.Info("Not leading any more; serving goes on")
}
