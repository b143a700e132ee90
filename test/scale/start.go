package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// measureStart starts a replica whose address no Ingress has in its status, and waits until all have it.
func (b *bench) measureStart(ctx context.Context, f *figures) (*replica, error) {
	address := fmt.Sprint("203.0.113.", 1+len(fmt.Sprint(f.size)))
	statuses, err := b.fleet.watchStatuses(ctx, address)
	if err != nil {
		return nil, err
	}
	defer statuses.stop()
	before, err := b.apiRequests(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.start(1, address)
	if err != nil {
		return r, err
	}
	if err := r.await(ctx, "becoming ready", readyLimit, r.isReady); err != nil {
		return r, err
	}
	early := b.requestEarly(ctx, r)
	defer early.stop()
	f.ready = time.Since(r.started)
	u, err := r.usage()
	if err != nil {
		return r, err
	}
	f.readyCPU, f.readyMemory = u.cpu, u.resident
	if err := r.await(ctx, "writing statuses", statusLimit, func() bool { return statuses.count() >= f.size }); err != nil {
		return r, err
	}
	f.statuses = time.Since(r.started)
	f.early = early.stop()
	after, err := b.apiRequests(ctx)
	if err != nil {
		return r, err
	}
	f.requests = after.since(before)
	u, err = r.usage()
	f.settledMemory = u.resident
	return r, err
}

// earlyResponses counts the responses to clients that send requests as soon as the process is ready.
type earlyResponses struct{ all, failed int }

// earlyClient sends requests until it is stopped.
type earlyClient struct {
	cancel    context.CancelFunc
	done      chan struct{}
	responses earlyResponses
}

// stop ends the requests and returns what they got. It may be called again.
func (c *earlyClient) stop() earlyResponses {
	c.cancel()
	<-c.done
	return c.responses
}

// requestEarly begins to send requests, each to another host.
func (b *bench) requestEarly(ctx context.Context, r *replica) *earlyClient {
	limited, cancel := context.WithCancel(ctx)
	e := &earlyClient{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(e.done)
		c := newClient(r)
		defer c.close()
		_ = repeat(limited, clientRate, func(n int) error {
			status, _, err := c.get(limited, hostOf(n*7919%b.fleet.size), "/app")
			if limited.Err() == nil {
				e.responses.all++
				if err != nil || status != http.StatusOK {
					e.responses.failed++
				}
			}
			return nil
		})
	}()
	return e
}

// statusWatch counts the Ingresses that have an address in their status.
type statusWatch struct {
	mu   sync.Mutex
	have map[string]bool
	stop func()
}

func (w *statusWatch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.have)
}

// watchStatuses watches the statuses that are written from now on.
func (f *fleet) watchStatuses(ctx context.Context, address string) (*statusWatch, error) {
	ingresses := f.api.NetworkingV1().Ingresses("")
	list, err := ingresses.List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, err
	}
	watcher, err := ingresses.Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return nil, err
	}
	w := &statusWatch{have: map[string]bool{}, stop: watcher.Stop}
	go func() {
		for event := range watcher.ResultChan() {
			in, ok := event.Object.(*networkingv1.Ingress)
			if ok && len(in.Status.LoadBalancer.Ingress) == 1 && in.Status.LoadBalancer.Ingress[0].IP == address {
				w.mu.Lock()
				w.have[in.Namespace+"/"+in.Name] = true
				w.mu.Unlock()
			}
		}
	}()
	return w, nil
}
