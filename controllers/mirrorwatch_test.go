package controllers

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// changeLog follows the changes that a mirror reports. Each change must follow from the previous one.
type changeLog[T reduced[T]] struct {
	mu       sync.Mutex
	known    map[types.NamespacedName]*T
	problems []string
}

func (c *changeLog[T]) add(before, after *T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one := after
	if one == nil {
		one = before
	}
	key := (*one).objectKey()
	if c.known[key] != before {
		c.problems = append(c.problems, "a change does not follow from the one before: "+key.String())
	}
	if after == nil {
		delete(c.known, key)
	} else {
		c.known[key] = after
	}
}

// randomEdits makes changes in a namespace, to objects that no other goroutine changes.
type randomEdits struct {
	t         *testing.T
	namespace string
	random    *rand.Rand
}

func (r *randomEdits) apply(n int) {
	for range n {
		object := r.pod()
		if r.random.IntN(2) == 0 {
			object = r.slice()
		}
		if err := r.write(object); err != nil {
			r.t.Error(err)
			return
		}
	}
}

// write creates, replaces or deletes an object.
func (r *randomEdits) write(object client.Object) error {
	now := object.DeepCopyObject().(client.Object) //nolint:forcetypeassert // it is a copy
	exists := admin.Get(r.t.Context(), client.ObjectKeyFromObject(object), now) == nil
	switch {
	case !exists:
		return admin.Create(r.t.Context(), object)
	case r.random.IntN(4) == 0:
		return admin.Delete(r.t.Context(), now, client.GracePeriodSeconds(0))
	}
	now.SetLabels(object.GetLabels())
	if now, is := now.(*discoveryv1.EndpointSlice); is {
		now.Endpoints = object.(*discoveryv1.EndpointSlice).Endpoints //nolint:forcetypeassert // of the same type
	}
	return admin.Update(r.t.Context(), now)
}

func (r *randomEdits) pod() client.Object {
	p := pod(r.namespace, fmt.Sprint("pod-", r.random.IntN(8)))
	p.Labels = map[string]string{"color": fmt.Sprint(r.random.IntN(3))}
	return p
}

// slice returns an EndpointSlice of one of three Services, with some of the pods.
func (r *randomEdits) slice() client.Object {
	s := slice(r.namespace, fmt.Sprint("service-", r.random.IntN(3)))
	s.Name = fmt.Sprint("slice-", r.random.IntN(6))
	for i := range r.random.IntN(5) {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprint("10.250.1.", 1+i)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: r.namespace, Name: fmt.Sprint("pod-", r.random.IntN(8))},
		})
	}
	return s
}

// watchedMirrors are mirrors of two namespaces, whose watches can be broken.
type watchedMirrors struct {
	*mirrors
	watches    brokenWatches
	pods       changeLog[cachedPod]
	slices     changeLog[cachedSlice]
	namespaces []string
}

func newWatchedMirrors(t *testing.T) *watchedMirrors {
	t.Helper()
	w := &watchedMirrors{mirrors: newMirrors(2), namespaces: []string{newNamespace(t), newNamespace(t)}}
	w.pods.known, w.slices.known = map[types.NamespacedName]*cachedPod{}, map[types.NamespacedName]*cachedSlice{}
	w.mirrors.pods.onChange, w.mirrors.slices.onChange = w.pods.add, w.slices.add
	through := rest.CopyConfig(config)
	through.Wrap(func(next http.RoundTripper) http.RoundTripper {
		w.watches.next = next
		return &w.watches
	})
	var reflectors []*reflector // started after the last one has wrapped its transport
	for _, namespace := range w.namespaces {
		log := new(logLines).logger(t)
		p, podErr := newPodReflector(through, namespace, w.mirrors.pods, log)
		s, sliceErr := newSliceReflector(through, namespace, w.mirrors.slices, log)
		if podErr != nil || sliceErr != nil {
			t.Fatal(podErr, sliceErr)
		}
		reflectors = append(reflectors, p, s)
	}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	for _, r := range reflectors {
		running.Go(func() { _ = r.Start(t.Context()) })
	}
	if err := w.waitForSync(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// difference returns how the mirrors differ from the API server, or "".
func (w *watchedMirrors) difference(t *testing.T) string {
	t.Helper()
	var shared sharedValues
	for _, namespace := range w.namespaces {
		pods, slices := &metav1.PartialObjectMetadataList{}, &discoveryv1.EndpointSliceList{}
		pods.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
		for _, list := range []client.ObjectList{pods, slices} {
			if err := admin.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
				t.Fatal(err)
			}
		}
		wantPods := map[types.NamespacedName]string{}
		for i := range pods.Items {
			p := shared.reduce(&pods.Items[i])
			wantPods[p.key] = fmt.Sprint(p.uid, p.values)
		}
		got := map[types.NamespacedName]string{}
		for _, key := range w.mirrors.pods.keys(namespace) {
			p := w.mirrors.pods.get(key)
			got[key] = fmt.Sprint(p.uid, p.values)
		}
		if fmt.Sprint(got) != fmt.Sprint(wantPods) {
			return fmt.Sprintf("pods %v, want %v", got, wantPods)
		}
		if diff := w.differentSlices(namespace, slices.Items); diff != "" {
			return diff
		}
	}
	return ""
}

// differentSlices compares the index, and the slices in it.
func (w *watchedMirrors) differentSlices(namespace string, items []discoveryv1.EndpointSlice) string {
	var want, got []string
	byPod := map[string][]string{}
	for i := range items {
		s := reduceSlice(&items[i])
		want = append(want, fmt.Sprint(s.service, s.key, s.endpoints))
		for j := range s.endpoints {
			byPod[s.endpoints[j].pod] = append(byPod[s.endpoints[j].pod], s.service)
		}
	}
	for i := range 3 {
		for _, object := range w.index.slicesOf(namespace, fmt.Sprint("service-", i)) {
			s := reduceSlice(object)
			got = append(got, fmt.Sprint(s.service, s.key, s.endpoints))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("EndpointSlices %v, want %v", got, want)
	}
	for i := range 8 {
		name := fmt.Sprint("pod-", i)
		got := w.index.servicesOf(types.NamespacedName{Namespace: namespace, Name: name})
		if !slices.Equal(distinct(got), distinct(byPod[name])) {
			return fmt.Sprintf("Services of %s: %v, want %v", name, got, byPod[name])
		}
	}
	return ""
}

func distinct(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

func TestMirrors_brokenWatches(t *testing.T) {
	const rounds, edits = 5, 100 // for each namespace
	w := newWatchedMirrors(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for round := range rounds {
		var writers sync.WaitGroup
		for i, namespace := range w.namespaces {
			r := &randomEdits{t, namespace, rand.New(rand.NewPCG(seed, uint64(2*round+i)))}
			writers.Go(func() {
				r.apply(edits / 2)
				w.watches.kill(round % 2 * 4)
				r.apply(edits / 2)
			})
		}
		writers.Wait()
		diff := ""
		eventually(t, "the mirrors follow", func() bool { diff = w.difference(t); return diff == "" })
	}
	w.pods.mu.Lock()
	defer w.pods.mu.Unlock()
	w.slices.mu.Lock()
	defer w.slices.mu.Unlock()
	if problems := append(w.pods.problems, w.slices.problems...); len(problems) > 0 {
		t.Errorf("%d problems, such as %s", len(problems), problems[0])
	}
	if w.watches.refused == 0 {
		t.Error("no watch was refused as too old")
	}
}
