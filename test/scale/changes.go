package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// spread returns the Ingress for the n-th change.
func (f *fleet) spread(n int) int { return n * 37 % f.size }

// awaitVersion returns when the current version of an Ingress is served.
func (b *bench) awaitVersion(ctx context.Context, c *client, i int) error {
	path := versionPath(b.fleet.versions[i])
	for deadline := time.Now().Add(time.Minute); ; pause(ctx, time.Millisecond) {
		status, _, err := c.get(ctx, hostOf(i), path)
		switch {
		case err != nil:
			return err
		case status == http.StatusOK:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%s%s is not served after a minute, status %d", hostOf(i), path, status)
		}
	}
}

// effects changes Ingresses one after the other, and returns how long each change took from the response of the API server until
// it was served.
func (b *bench) effects(ctx context.Context, r *replica, times int) (durations, error) {
	c := newClient(r)
	defer c.close()
	var all durations
	for n := range times {
		i := b.fleet.spread(n)
		if err := b.fleet.changeIngress(ctx, i); err != nil {
			return nil, err
		}
		written := time.Now()
		if err := b.awaitVersion(ctx, c, i); err != nil {
			return nil, err
		}
		all = append(all, time.Since(written))
	}
	return all, nil
}

// burst changes many Ingresses concurrently. It returns the time until the API server had them, and until all were served.
func (b *bench) burst(ctx context.Context, r *replica, changes int) (written, served time.Duration, err error) {
	before := time.Now()
	if err := inParallel(changes, func(i int) error { return b.fleet.changeIngress(ctx, i) }); err != nil {
		return 0, 0, err
	}
	written = time.Since(before)
	c := newClient(r)
	defer c.close()
	for i := range changes {
		if err := b.awaitVersion(ctx, c, i); err != nil {
			return 0, 0, err
		}
	}
	return written, time.Since(before), nil
}

// Rates of the changes beside which other figures are measured.
const (
	changesPerSecond = 5
	slicesPerSecond  = 50
)

// changeIngresses changes Ingresses at a fixed rate until ctx is done.
func (b *bench) changeIngresses(ctx context.Context) error {
	return repeat(ctx, changesPerSecond, func(n int) error { return b.fleet.changeIngress(ctx, b.fleet.spread(n)) })
}

// changeSlices changes EndpointSlices at a fixed rate until ctx is done.
func (b *bench) changeSlices(ctx context.Context) error {
	return repeat(ctx, slicesPerSecond, func(n int) error {
		return b.fleet.changeSlice(ctx, b.fleet.spread(n), n/b.fleet.size%2 == 1)
	})
}

// changeConfigMaps writes objects that Limpet does not read, at the rate of changeIngresses. What it costs clients is the load of
// the API server on this machine.
func (b *bench) changeConfigMaps(ctx context.Context) error {
	maps := b.fleet.api.CoreV1().ConfigMaps(limpetNamespace)
	return repeat(ctx, changesPerSecond, func(int) error {
		_, err := maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "load-"}}, metav1.CreateOptions{})
		return err
	})
}
