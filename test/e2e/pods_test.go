//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// cartGrace is the time for which a pod of the shop keeps serving after SIGTERM: see test/cart/cart.yaml.
const cartGrace = 8 * time.Second

// podLog records when the pods of the shop were terminated. It polls several times a second.
type podLog struct {
	client    client.Client
	namespace string

	mu     sync.Mutex
	told   map[string]time.Time // earliest time of termination
	killed map[string]bool      // killed or crashed, without grace period
	now    []corev1.Pod
}

func newPodLog(t *testing.T, namespace string) *podLog {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := &podLog{client: c, namespace: namespace, told: map[string]time.Time{}, killed: map[string]bool{}}
	go l.follow(t.Context())
	return l
}

func (l *podLog) follow(ctx context.Context) {
	for {
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			fmt.Println("e2e: looking at pods:", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (l *podLog) look(ctx context.Context) error {
	var pods corev1.PodList
	if err := l.client.List(ctx, &pods, client.InNamespace(l.namespace), client.MatchingLabels{"app": "cart"}); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = pods.Items
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil && l.told[pod.Name].IsZero() {
			l.told[pod.Name] = pod.DeletionTimestamp.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
		}
	}
	return nil
}

// kill records that a pod is killed without grace period.
func (l *podLog) kill(pod string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed[pod] = true
}

// served reports whether a pod still served at a time: it was not terminated, or its grace period was not over.
func (l *podLog) served(pod string, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	told, ending := l.told[pod]
	return !l.killed[pod] && (!ending || at.Before(told.Add(cartGrace)))
}

func (l *podLog) fate(pod string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if told, ending := l.told[pod]; ending {
		return "told to end at " + stamp(told)
	}
	return "not told to end"
}

// await waits until there are n pods, all ready and none terminating.
func (l *podLog) await(t *testing.T, n int) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		if err := l.look(ctx); err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		ready := slices.DeleteFunc(slices.Clone(l.now), func(p corev1.Pod) bool { return p.DeletionTimestamp != nil || !isReady(p) })
		if len(ready) != n || len(l.now) != n {
			return fmt.Errorf("%d of %d pods are ready, want %d", len(ready), len(l.now), n)
		}
		return nil
	})
}

func isReady(pod corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// checkCosts checks that the given pods cost less than all others.
func (l *podLog) checkCosts(ctx context.Context, cheap []string) error {
	if err := l.look(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	highest, lowest, costs := math.MinInt, math.MaxInt, map[string]int{}
	for _, pod := range l.now {
		cost, _ := strconv.Atoi(pod.Annotations[corev1.PodDeletionCost]) // without it, zero
		if costs[pod.Name] = cost; slices.Contains(cheap, pod.Name) {
			highest = max(highest, cost)
		} else {
			lowest = min(lowest, cost)
		}
	}
	if highest >= lowest {
		return fmt.Errorf("the pods cost %v; want %v to be the cheapest", costs, cheap)
	}
	return nil
}
