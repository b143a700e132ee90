package controllers

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// pod returns a pod. It never runs, since there is no kubelet.
func pod(namespace, name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"route": name + "-route"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
}

// createPods creates pods and an EndpointSlice that references them.
func createPods(t *testing.T, namespace, service string, names ...string) []*corev1.Pod {
	t.Helper()
	s := slice(namespace, service)
	var pods []*corev1.Pod
	for i, name := range names {
		p := pod(namespace, name)
		create(t, p)
		pods = append(pods, p)
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.250.0." + string(rune('1'+i))},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: name, UID: p.UID},
		})
	}
	create(t, s)
	return pods
}

// states returns the endpoints received by the fast path, as "pod State", sorted.
func (p *fakePublisher) states(service string) []string {
	var states []string
	for _, e := range p.endpoints[service] {
		states = append(states, e.Pod+" "+string(e.State))
	}
	slices.Sort(states)
	return states
}

func drain(p *corev1.Pod) {
	metav1.SetMetaDataAnnotation(&p.ObjectMeta, translate.AnnotationDrain, "true")
}

func TestEndpoints_drainedPod(t *testing.T) {
	ns := newNamespace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"))
	pods := createPods(t, ns, "shop", "a", "b")
	r := startReplica(t, "a")
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	shows := func(states ...string) func() bool {
		return r.publisher.locked(func(p *fakePublisher) bool { return slices.Equal(p.states(ns+"/shop"), states) })
	}
	eventually(t, "both ready", shows("a Ready", "b Ready"))
	tables := 0
	r.publisher.locked(func(p *fakePublisher) bool { tables, p.worst = p.published, 0; return true })()
	change(t, pods[0], drain)
	eventually(t, "a drains", shows("a Draining", "b Ready"))
	change(t, pods[0], func(p *corev1.Pod) { delete(p.Annotations, translate.AnnotationDrain) })
	eventually(t, "a is back", shows("a Ready", "b Ready"))
	r.publisher.locked(func(p *fakePublisher) bool {
		if p.published != tables {
			t.Errorf("%d tables were built for pod changes, want 0", p.published-tables)
		}
		t.Logf("slowest from event to publisher: %v", p.worst)
		return true
	})()
}

func TestTable_drainedPodAtStart(t *testing.T) {
	ns := newNamespace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"))
	pods := createPods(t, ns, "shop", "a", "b")
	change(t, pods[1], drain)
	r := startReplica(t, "a")
	eventually(t, "a table", r.publisher.locked(func(p *fakePublisher) bool { return p.published > 0 }))
	r.publisher.locked(func(p *fakePublisher) bool {
		pool := model.Pool{ID: model.PoolID{Namespace: ns, Service: "shop", Port: 80}}
		for _, e := range translate.Endpoints(pool, p.newest.Slices(ns, "shop"), p.newest.Pods) {
			if want := e.Pod == "b"; (e.State == model.EndpointDraining) != want {
				t.Errorf("%s is %s", e.Pod, e.State)
			}
		}
		return true
	})()
}

func TestProblems_unknownPodLabel(t *testing.T) {
	ns := newNamespace(t)
	p := policy(ns, "shop", "shop")
	p.Spec.Methods = []v1alpha1.Method{{
		Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingNamed, Header: &v1alpha1.Header{Name: "X-Id"},
		Named: &v1alpha1.Named{By: v1alpha1.NamedByPodLabel, Key: "later"},
	}}
	create(t, service(ns, "shop"), ingress(ns, "shop"), p)
	pods := createPods(t, ns, "shop", "a")
	r := startReplica(t, "a")
	unknown := r.publisher.locked(func(p *fakePublisher) bool {
		return hasProblem(p.last.Reports, ns, translate.ReasonUnknownPodKey)
	})
	eventually(t, "the label is missed", unknown)
	change(t, pods[0], func(p *corev1.Pod) { p.Labels["later"] = "one" })
	eventually(t, "the label is found", func() bool { return !unknown() })
}

func TestProblems_unknownDrain(t *testing.T) {
	ns := newNamespace(t)
	create(t, service(ns, "shop"), ingress(ns, "shop"))
	pods := createPods(t, ns, "shop", "a")
	r := startReplica(t, "a")
	reported := r.publisher.locked(func(p *fakePublisher) bool {
		return hasProblem(p.last.Reports, ns, translate.ReasonInvalidAnnotation)
	})
	eventually(t, "the route", r.publisher.serves(ns, "shop.example.com"))
	setDrain := func(value string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { metav1.SetMetaDataAnnotation(&p.ObjectMeta, translate.AnnotationDrain, value) }
	}
	change(t, pods[0], setDrain("True"))
	eventually(t, "the problem", reported)
	eventually(t, "an Event on the pod", func() bool {
		return slices.ContainsFunc(eventsOn(t, pods[0]), func(e eventsv1.Event) bool {
			return e.Reason == translate.ReasonInvalidAnnotation && strings.Contains(e.Note, `must be "true"`)
		})
	})
	change(t, pods[0], setDrain("true"))
	eventually(t, "no problem", func() bool { return !reported() })
}
