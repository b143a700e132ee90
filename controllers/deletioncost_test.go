package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sessionsOf returns the sessions of a pool from words such as "a=3", where a is the name and the UID of a pod.
func sessionsOf(pool, words string) (out []PodSessions) {
	for word := range strings.FieldsSeq(words) {
		name, number, _ := strings.Cut(word, "=")
		p := PodSessions{Pool: pool, Pod: types.NamespacedName{Namespace: "shop", Name: name}, UID: types.UID(name)}
		if _, err := fmt.Sscan(number, &p.Sessions); err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
}

func TestDeletionCosts_changes(t *testing.T) {
	for _, c := range []struct {
		name, written, foreign, sessions, other, want string
	}{
		{name: "no session", sessions: "a=0 b=0"},
		{name: "first sessions", sessions: "a=3 b=5 c=0", want: "a=3 b=5"},
		{name: "the same order", written: "a=3 b=5", sessions: "a=30 b=50"},
		{name: "another order", written: "a=3 b=5", sessions: "a=50 b=30", want: "a=50 b=30"},
		{name: "a number that stays", written: "a=3 b=5", sessions: "a=9 b=5", want: "a=9"},
		{name: "a new pod without sessions", written: "a=3 b=5", sessions: "a=3 b=5 c=0"},
		{name: "a new pod with fewer sessions", written: "a=30 b=50", sessions: "a=30 b=50 c=10"},
		{name: "a new pod with more sessions", written: "a=30 b=50", sessions: "a=30 b=50 c=40", want: "c=40"},
		{name: "nearly the same number", written: "a=100 b=101", sessions: "a=101 b=97"},
		{name: "clearly fewer", written: "a=100 b=101", sessions: "a=103 b=97", want: "a=103 b=97"},
		{name: "equal costs", written: "a=5 b=5", sessions: "a=5 b=9", want: "b=9"},
		{name: "a pod that lost its sessions", written: "a=5 b=9", sessions: "a=5 b=0", want: "b=0"},
		{name: "a pod of a person", written: "a=5", foreign: "b", sessions: "a=5 b=1"},
		{name: "a pod of a person in another order", written: "a=5 c=7", foreign: "b", sessions: "a=9 c=7 b=1", want: "a=9 b=1"},
		{name: "the sum of two pools", written: "a=3 b=5", sessions: "a=3 b=5", other: "a=4 c=0", want: "a=7"},
		{name: "another pool with the pod", written: "a=10 b=20 c=30", sessions: "a=99 b=50", other: "b=0 c=60", want: "a=99 b=50 c=60"},
		{name: "an unrelated pool", written: "a=3 b=5 c=4 d=6", sessions: "a=8 b=5", other: "c=40 d=60", want: "a=8"},
		{name: "more than an int32", sessions: "a=1 b=9999999999", want: "a=1 b=2147483647"},
	} {
		costs := &deletionCosts{map[types.UID]int32{}, map[types.UID]bool{}}
		for _, p := range sessionsOf("", c.written) {
			costs.written[p.UID] = int32(p.Sessions)
		}
		if c.foreign != "" {
			costs.foreign[types.UID(c.foreign)] = true
		}
		var got []string
		for _, change := range costs.changes(append(sessionsOf("one", c.sessions), sessionsOf("other", c.other)...)) {
			got = append(got, fmt.Sprintf("%s=%d", change.pod.Name, change.cost))
		}
		if !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDeletionCosts_forget(t *testing.T) {
	costs := &deletionCosts{map[types.UID]int32{"a": 1, "b": 2}, map[types.UID]bool{"c": true, "d": true}}
	costs.forget(sessionsOf("one", "a=1 c=1"))
	if len(costs.written) != 1 || len(costs.foreign) != 1 || costs.written["a"] != 1 || !costs.foreign["c"] {
		t.Errorf("%v", costs)
	}
}

// counted is what replicas count in a test.
type counted struct {
	mu   sync.Mutex
	pods []PodSessions
	err  error
	asks int
}

func (c *counted) count(context.Context) ([]PodSessions, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asks++
	return c.pods, c.err
}

func (c *counted) set(sessions map[*corev1.Pod]int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pods, c.err = nil, err
	for p, n := range sessions {
		c.pods = append(c.pods, PodSessions{"shop/cart:80", client.ObjectKeyFromObject(p), p.UID, n})
	}
}

// awaitTwo waits until a count that began after the call has been written.
func (c *counted) awaitTwo(t *testing.T) {
	t.Helper()
	asks := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.asks
	}
	from := asks()
	eventually(t, "two more counts", func() bool { return asks() >= from+3 })
}

// startCosts starts a replica that writes deletion costs every 20 ms.
func startCosts(t *testing.T, counts *counted) *replica {
	t.Helper()
	return startReplica(t, "a", func(o *Options) {
		o.PodSessions, o.deletionCostEvery = counts.count, 20*time.Millisecond
		o.PublishService = types.NamespacedName{Namespace: limpetNamespace, Name: "limpet"}
	})
}

// allowPatch grants Limpet what config/pod-deletion-cost grants.
func allowPatch(t *testing.T) {
	t.Helper()
	objects, err := readManifest("pod-deletion-cost/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range objects {
		create(t, object)
		t.Cleanup(func() { _ = admin.Delete(context.WithoutCancel(t.Context()), object) })
	}
}

func costOfPod(t *testing.T, p *corev1.Pod) string {
	t.Helper()
	return get(t, p.DeepCopy()).Annotations[corev1.PodDeletionCost]
}

func expectCosts(t *testing.T, want map[*corev1.Pod]string) {
	t.Helper()
	for p, cost := range want {
		eventually(t, "the cost of "+p.Name+" is "+cost, func() bool { return costOfPod(t, p) == cost })
	}
}

func podsNamed(t *testing.T, ns string, names ...string) (out []*corev1.Pod) {
	t.Helper()
	for _, name := range names {
		p := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Annotations: map[string]string{"team": "shop"}},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
		}
		create(t, p)
		out = append(out, p)
	}
	return out
}

func TestDeletionCost_writes(t *testing.T) {
	ns := newNamespace(t)
	allowPatch(t)
	pods := podsNamed(t, ns, "a", "b", "c")
	counts := &counted{}
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 4, pods[2]: 0}, nil)
	startCosts(t, counts)
	expectCosts(t, map[*corev1.Pod]string{pods[0]: "9", pods[1]: "4"})

	version := get(t, pods[0].DeepCopy()).ResourceVersion
	counts.set(map[*corev1.Pod]int64{pods[0]: 90, pods[1]: 40, pods[2]: 7}, nil)
	counts.awaitTwo(t)
	if got := get(t, pods[0].DeepCopy()); got.ResourceVersion != version || got.Annotations["team"] != "shop" {
		t.Errorf("a pod in the same order was written: %v", got.Annotations)
	}
	counts.set(map[*corev1.Pod]int64{pods[0]: 90, pods[1]: 140, pods[2]: 7}, nil)
	expectCosts(t, map[*corev1.Pod]string{pods[0]: "90", pods[1]: "140", pods[2]: "7"})
}

// What a person sets stays, before and after Limpet has written. The other pods are still written.
func TestDeletionCost_ofPerson(t *testing.T) {
	ns := newNamespace(t)
	allowPatch(t)
	pods := podsNamed(t, ns, "a", "b", "c")
	change(t, pods[0].DeepCopy(), func(p *corev1.Pod) { p.Annotations[corev1.PodDeletionCost] = "-100" })
	counts := &counted{}
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 4, pods[2]: 2}, nil)
	r := startCosts(t, counts)
	expectCosts(t, map[*corev1.Pod]string{pods[0]: "-100", pods[1]: "4", pods[2]: "2"})
	eventually(t, "a log line", r.hasLogged("Deletion cost left alone"))

	change(t, pods[1].DeepCopy(), func(p *corev1.Pod) { p.Annotations[corev1.PodDeletionCost] = "1000" })
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 4, pods[2]: 20}, nil)
	expectCosts(t, map[*corev1.Pod]string{pods[2]: "20"})
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 400, pods[2]: 30}, nil)
	expectCosts(t, map[*corev1.Pod]string{pods[2]: "30"})
	expectCosts(t, map[*corev1.Pod]string{pods[0]: "-100", pods[1]: "1000"})
}

// A pod that was deleted, or replaced by one of the same name, gets nothing and stops nothing.
func TestDeletionCost_replacedPod(t *testing.T) {
	ns := newNamespace(t)
	allowPatch(t)
	pods := podsNamed(t, ns, "a", "b", "c")
	gone, replaced := pods[0].DeepCopy(), pods[1].DeepCopy()
	gone.Name, replaced.UID = "z", "5f0d9ae1-0000-4000-8000-000000000001"
	counts := &counted{}
	counts.set(map[*corev1.Pod]int64{gone: 5, replaced: 9, pods[2]: 20}, nil)
	startCosts(t, counts)
	expectCosts(t, map[*corev1.Pod]string{pods[2]: "20"})
	if got := costOfPod(t, pods[1]); got != "" {
		t.Errorf("the pod that has the name of another one costs %q", got)
	}
}

func TestDeletionCost_incompleteCount(t *testing.T) {
	ns := newNamespace(t)
	allowPatch(t)
	pods := podsNamed(t, ns, "a", "b")
	counts := &counted{}
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 4}, errors.New("replica b does not respond"))
	r := startCosts(t, counts)
	eventually(t, "a log line", r.hasLogged("replica b does not respond"))
	if got := costOfPod(t, pods[0]); got != "" {
		t.Errorf("the cost is %q without the numbers of a replica", got)
	}
}

// The permission is one of its own: without it, only the costs are missing.
func TestDeletionCost_withoutPermission(t *testing.T) {
	ns := newNamespace(t)
	pods := podsNamed(t, ns, "a", "b")
	counts := &counted{}
	counts.set(map[*corev1.Pod]int64{pods[0]: 9, pods[1]: 4}, nil)
	r := startCosts(t, counts)
	eventually(t, "a log line", r.hasLogged("Failed to write a deletion cost"))
	create(t, service(ns, "shop"), ingress(ns, "shop"))
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	allowPatch(t)
	expectCosts(t, map[*corev1.Pod]string{pods[0]: "9", pods[1]: "4"})
}
