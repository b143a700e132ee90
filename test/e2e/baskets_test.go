//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/programs"
)

// mall is the state shared by all phases.
type mall struct {
	*cluster
	ledger *ledger
	pods   *podLog
	crowd  *crowd
	// empty are the pods that have handed their baskets to others, and that must be removed next.
	empty []string
}

// phase is a change of the cluster while clients send requests.
type phase struct {
	name string
	do   func(t *testing.T, m *mall)
	// pods is the number of pods of the shop after the phase.
	pods int
	// limpetStops is set if replicas of Limpet stop, which ends streams after the drain timeout.
	limpetStops bool
	// stays is set if no pod stops, so that no session may move.
	stays bool
	// handsOff is set if sessions leave pods that still serve. No basket may be lost then.
	handsOff bool
}

// keepBaskets runs 200 clients while pods and Limpet are replaced, and prints their losses.
func keepBaskets(t *testing.T, c *cluster) {
	m := &mall{cluster: c, ledger: &ledger{}, pods: newPodLog(t, "shop")}
	m.pods.await(t, 3)
	m.crowd = newCrowd(t, c.limpet(), m.ledger)
	defer m.crowd.leave()
	m.crowd.everyoneAsks(t)

	var rows []row
	for _, p := range phases() {
		t.Run(p.name, func(t *testing.T) { rows = append(rows, m.pass(t, p)) })
	}
	printTable(rows)
}

func (m *mall) pass(t *testing.T, p phase) row {
	began := time.Now()
	p.do(t, m)
	m.pods.await(t, p.pods)
	m.crowd.everyoneAsks(t)
	r := m.ledger.turn().account(t, &p, time.Since(began), m.pods)
	if p.handsOff && (r.lost > 0 || r.moved < shoppers) {
		t.Errorf("%d baskets were lost in %d moves, want none in at least %d", r.lost, r.moved, shoppers)
	}
	if p.stays && r.moved > 0 {
		t.Errorf("%d sessions moved, but no pod stopped", r.moved)
	}
	if r.requests < shoppers {
		t.Errorf("only %d requests", r.requests)
	}
	return r
}

func phases() []phase {
	shop := func(args ...string) func(t *testing.T, m *mall) {
		return func(t *testing.T, m *mall) { m.kubectl(t, append(args, "--namespace=shop")...) }
	}
	return []phase{
		{name: "nothing", do: func(t *testing.T, m *mall) { m.crowd.everyoneAsks(t) }, pods: 3, stays: true},
		{name: "rollout restart", do: restartShop, pods: 3},
		{name: "rollout with handoff", do: handOffBaskets, pods: 3, handsOff: true},
		{name: "scale 3 to 6", do: shop("scale", "deployment/cart", "--replicas=6"), pods: 6, stays: true},
		{name: "baskets to new pods", do: emptyOldPods, pods: 6, handsOff: true},
		{name: "scale 6 to 3", do: removeEmptyPods, pods: 3, stays: true},
		{name: "pod killed", do: killPod, pods: 3},
		{name: "pod drained", do: drainPod, pods: 3, stays: true},
		{name: "pod evicted", do: evictPod, pods: 3},
		{name: "key rotation", do: rotateKeys, pods: 3, stays: true},
		{name: "Limpet restarted", do: restartLimpet, pods: 3, limpetStops: true, stays: true},
		{name: "helm upgrade", do: upgradeLimpet, pods: 3, limpetStops: true, stays: true},
	}
}

func restartShop(t *testing.T, m *mall) {
	m.kubectl(t, "rollout", "restart", "deployment/cart", "--namespace", m.pods.namespace)
	m.kubectl(t, "rollout", "status", "deployment/cart", "--namespace", m.pods.namespace, "--timeout=5m")
}

// handOffBaskets is a rolling update in which the pods hand their baskets to each other.
func handOffBaskets(t *testing.T, m *mall) {
	m.whileHandingOff(t, func() {
		restartShop(t, m)
		m.pods.await(t, 3) // the terminating pods have ended
	})
}

// emptyOldPods drains the pods that have baskets until these are on the other pods, and waits until the pods cost that much.
// Without the costs, Kubernetes would remove the newest pods, which have the baskets.
func emptyOldPods(t *testing.T, m *mall) {
	for pod := range m.crowd.pods() {
		m.empty = append(m.empty, pod)
	}
	drain := func(value string) {
		m.kubectl(t, append(append([]string{"annotate", "pod", "--namespace=shop"}, m.empty...), "limpet.dev/drain"+value)...)
	}
	m.whileHandingOff(t, func() {
		drain("=true")
		eventually(t, func(context.Context) error {
			for pod, n := range m.crowd.pods() {
				if slices.Contains(m.empty, pod) {
					return fmt.Errorf("%d shoppers are on pod %s", n, pod)
				}
			}
			return nil
		})
		drain("-")
	})
	eventually(t, func(ctx context.Context) error { return m.pods.checkCosts(ctx, m.empty) })
}

// removeEmptyPods scales down, and checks that the pods with the fewest sessions are removed.
func removeEmptyPods(t *testing.T, m *mall) {
	m.kubectl(t, "scale", "deployment/cart", "--replicas=3", "--namespace=shop")
	m.pods.await(t, 3)
	left := m.kubectl(t, "get", "pods", "--namespace=shop", "-o", "name")
	for _, pod := range m.empty {
		if strings.Contains(left, pod) {
			t.Errorf("pod %s has the fewest sessions and is left: %s", pod, left)
		}
	}
}

// whileHandingOff applies the policy that lets pods hand their baskets to each other during a change.
func (m *mall) whileHandingOff(t *testing.T, do func()) {
	policy, err := os.ReadFile("../cart/handoff.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m.apply(t, "shop", string(policy))
	defer m.kubectl(t, "delete", "affinitypolicy", "cart", "--namespace=shop")
	m.kubectl(t, "wait", "affinitypolicy/cart", "--namespace=shop", "--for=condition=Programmed", "--timeout=1m")
	do()
	m.crowd.everyoneAsks(t)
}

// killPod kills a pod like a crash of its node.
func killPod(t *testing.T, m *mall) {
	pod := m.crowd.favourite()
	m.pods.kill(pod)
	m.kubectl(t, "delete", "pod", pod, "--namespace=shop", "--grace-period=0", "--force")
}

// drainPod drains a pod by annotation for a while, and checks that its sessions stay.
func drainPod(t *testing.T, m *mall) {
	pod := m.crowd.favourite()
	m.kubectl(t, "annotate", "pod", pod, "--namespace=shop", "limpet.dev/drain=true")
	// The first response of another pod may precede the effect of the annotation.
	eventually(t, func(ctx context.Context) error { return m.newClientsAvoid(ctx, t, pod) })
	if err := m.newClientsAvoid(t.Context(), t, pod); err != nil {
		t.Error(err)
	}
	m.crowd.everyoneAsks(t)
	m.kubectl(t, "annotate", "pod", pod, "--namespace=shop", "limpet.dev/drain-")
}

// newClientsAvoid checks that 50 new clients are not sent to a pod.
func (m *mall) newClientsAvoid(ctx context.Context, t *testing.T, pod string) error {
	for range 50 {
		b, err := newShopper(t, m.limpet(), m.ledger).ask(ctx, "GET", "/")
		if err == nil && b.Pod == pod {
			err = fmt.Errorf("a new client was sent to the draining pod %s", pod)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// evictPod evicts a pod like `kubectl drain`.
func evictPod(t *testing.T, m *mall) {
	pod := m.crowd.favourite()
	eviction := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q,"namespace":"shop"}}`, pod)
	m.run(t, eviction, programs.Kubectl, "create", "--raw", "/api/v1/namespaces/shop/pods/"+pod+"/eviction", "-f", "-")
}

// rotateKeys makes the leader add a key and seal with it immediately, instead of after a month.
func rotateKeys(t *testing.T, m *mall) {
	for _, step := range []string{"limpet.dev/next-key-at", "limpet.dev/key-seals-at"} {
		before := m.keys(t)
		m.kubectl(t, "annotate", "secret", "limpet-affinity-keys", "--namespace", namespace, "--overwrite", step+"=2020-01-01T00:00:00Z")
		eventually(t, func(context.Context) error {
			if m.keys(t) == before {
				return fmt.Errorf("%s: the leader did not change the keys", step)
			}
			return nil
		})
		m.crowd.everyoneAsks(t)
	}
}

func (m *mall) keys(t *testing.T) string {
	return m.kubectl(t, "get", "secret", "limpet-affinity-keys", "--namespace", namespace, "-o", "jsonpath={.data.keys}")
}

func restartLimpet(t *testing.T, m *mall) {
	m.kubectl(t, "rollout", "restart", "deployment/limpet", "--namespace", namespace)
	m.limpetSettles(t)
}

func upgradeLimpet(t *testing.T, m *mall) {
	m.helm(t, "upgrade", "limpet", chartDir, "--namespace", namespace, "--reset-then-reuse-values", "--set", "log.format=text")
	m.limpetSettles(t)
}

// limpetSettles waits until the new replicas are ready and the old ones are gone.
func (m *mall) limpetSettles(t *testing.T) {
	m.kubectl(t, "rollout", "status", "deployment/limpet", "--namespace", namespace, "--timeout=3m")
	eventually(t, func(context.Context) error {
		if pods := m.kubectl(t, "get", "pods", "--namespace", namespace, "-o", "name"); len(strings.Fields(pods)) != 2 {
			return fmt.Errorf("pods %q, want two", pods)
		}
		return nil
	})
}
