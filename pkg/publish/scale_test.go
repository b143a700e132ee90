package publish

import (
	"crypto/x509"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/test/certificates"
)

// scaleFleet has Ingresses with a host and two paths, each with a Service of ten endpoints. Every hundred Ingresses share a
// namespace with one Secret for TLS. Every tenth Service has a policy. There is a default backend and a wildcard host.
type scaleFleet struct {
	*site
	slices map[service][]*discoveryv1.EndpointSlice
	pods   map[service]*metav1.PartialObjectMetadata
	size   int
}

func newScaleFleet(tb testing.TB, size int) *scaleFleet {
	tb.Helper()
	f, changes := newScaleObjects(tb, size, 10)
	f.apply(changes...)
	return f
}

// newScaleObjects returns a fleet of which nothing is published, and its objects. One of perPolicy Services has a policy.
func newScaleObjects(tb testing.TB, size, perPolicy int) (*scaleFleet, []translate.Change) {
	tb.Helper()
	f := &scaleFleet{
		site: newSiteWithLog(tb, logr.Discard()), size: size,
		slices: map[service][]*discoveryv1.EndpointSlice{}, pods: map[service]*metav1.PartialObjectMetadata{},
	}
	cert, key := certificates.PEM(tb, certificates.SelfSigned(tb, x509.Certificate{DNSNames: []string{"*.example.com"}}))
	tls := map[string][]byte{"tls.crt": cert, "tls.key": key}
	changes := []translate.Change{
		f.ingress(0, "default", "", "/"), f.ingress(0, "wildcard", "*.example.com", "/"),
	}
	for i := range size {
		changes = append(changes, f.ingress(i, name(i), hostOf(i), "/"), f.service(i))
		if i%100 == 0 {
			secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: "tls"}, Data: tls}
			changes = append(changes, changeOf(model.KindSecret, secret))
		}
		if i%perPolicy == 0 {
			changes = append(changes, f.policy(i))
		}
		f.setEndpoints(i, 10)
	}
	return f, changes
}

func name(i int) string      { return fmt.Sprintf("i%d", i) }
func hostOf(i int) string    { return fmt.Sprintf("h%d.example.com", i) }
func namespace(i int) string { return fmt.Sprintf("n%d", i/100) }

func changeOf(kind string, object metav1.Object) translate.Change {
	ref := model.Ref{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}
	return translate.Change{Ref: ref, Object: object}
}

func (f *scaleFleet) apply(changes ...translate.Change) *translate.Update {
	return f.Apply(changes, f.source(), time.Now())
}

func (f *scaleFleet) source() EndpointSource {
	return EndpointSource{
		Slices: func(namespace, name string) []*discoveryv1.EndpointSlice { return f.slices[service{namespace, name}] },
		Pods:   func(namespace, name string) *metav1.PartialObjectMetadata { return f.pods[service{namespace, name}] },
	}
}

// ingress returns an Ingress with one path for its host, and /api.
func (f *scaleFleet) ingress(i int, name, host, path string) translate.Change {
	paths := make([]networkingv1.HTTPIngressPath, 2)
	for j, p := range []string{path, "/api"} {
		paths[j] = networkingv1.HTTPIngressPath{Path: p, PathType: ptr.To(networkingv1.PathTypePrefix)}
		paths[j].Backend.Service = &networkingv1.IngressServiceBackend{Name: fmt.Sprintf("s%d", i)}
		paths[j].Backend.Service.Port.Number = 80
	}
	in := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: name, CreationTimestamp: metav1.NewTime(time.Unix(1e9, 0))},
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("limpet"),
			Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths}}}},
			TLS: []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "tls"}},
		},
	}
	if host == "" {
		in.Spec.TLS = nil
	}
	return changeOf(model.KindIngress, in)
}

func (f *scaleFleet) service(i int) translate.Change {
	return changeOf(model.KindService, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: fmt.Sprintf("s%d", i)},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}}},
	})
}

func (f *scaleFleet) policy(i int) translate.Change {
	return changeOf(v1alpha1.Kind, &v1alpha1.AffinityPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace(i), Name: name(i)},
		Spec: v1alpha1.AffinityPolicySpec{
			TargetRefs: []v1alpha1.TargetRef{{Kind: "Service", Name: fmt.Sprintf("s%d", i)}},
			Methods:    []v1alpha1.Method{{Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued}},
		},
	})
}

func (f *scaleFleet) setEndpoints(i, endpoints int) {
	at := service{namespace(i), fmt.Sprintf("s%d", i)}
	s := sliceOf(at.name)
	s.Namespace = at.namespace
	for j := range endpoints {
		pod := f.pod(at, j)
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.%d.%d.%d", i/200, i%200, j)},
			NodeName:  ptr.To("node"), Zone: ptr.To("zone-a"),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID},
		})
	}
	f.slices[at] = []*discoveryv1.EndpointSlice{s}
}

// pod adds a pod of a Service, unless the fleet has it.
func (f *scaleFleet) pod(of service, n int) *metav1.PartialObjectMetadata {
	at := service{of.namespace, fmt.Sprintf("%s-6d4cf56db6-%05d", of.name, n)}
	if f.pods[at] == nil {
		f.pods[at] = &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
			Namespace: at.namespace, Name: at.name, UID: uuid.NewUUID(),
		}}
	}
	return f.pods[at]
}

// change makes one change of a kind. The number of the change selects the Ingress and its new state.
func (f *scaleFleet) change(kind string, n int) *translate.Update {
	i, path := (n*37)%f.size, fmt.Sprintf("/p%d", n)
	switch kind {
	case "path":
		return f.apply(f.ingress(i, name(i), hostOf(i), path))
	case "unread":
		c := f.ingress(i, name(i), hostOf(i), "/")
		c.Object.SetLabels(map[string]string{"n": fmt.Sprint(n)})
		return f.apply(c)
	case "re-created":
		f.apply(translate.Change{Ref: f.ingress(i, name(i), hostOf(i), "/").Ref})
		return f.apply(f.ingress(i, name(i), hostOf(i), "/"))
	}
	return f.apply(f.ingress(0, "default", "", path)) // "default backend"
}

var scaleChanges = []string{"path", "unread", "re-created", "default backend"}

// BenchmarkApply measures the CPU per change of one Ingress in fleets of growing size.
func BenchmarkApply(b *testing.B) {
	for _, size := range []int{100, 1000, 10_000} {
		fleet := newScaleFleet(b, size)
		for _, kind := range scaleChanges {
			b.Run(fmt.Sprintf("%d/%s", size, kind), func(b *testing.B) {
				b.ReportAllocs()
				before := cpuTime(b)
				n := 0
				for ; b.Loop(); n++ {
					fleet.change(kind, n)
				}
				b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "cpu-ns/op")
			})
		}
	}
}

// The work per change must not grow with the fleet. Allocations and counts do not depend on the speed of the machine.
func TestApply_workDoesNotGrow(t *testing.T) {
	small, large := newScaleFleet(t, 100), newScaleFleet(t, 2000)
	for _, kind := range scaleChanges {
		n := 0
		allocations := func(f *scaleFleet) float64 {
			return testing.AllocsPerRun(20, func() { n++; f.change(kind, n) })
		}
		few, many := allocations(small), allocations(large)
		if many > 1.5*few+20 {
			t.Errorf("%s: %v allocations with 2,000 Ingresses, %v with 100", kind, many, few)
		}
		if u := large.change(kind, n+1); u.Translated > 2 || len(u.Hosts) > 1 {
			t.Errorf("%s: %d groups were translated and %d hosts changed, want one", kind, u.Translated, len(u.Hosts))
		}
	}
}

func TestApply_unreadChangeDoesNothing(t *testing.T) {
	f := newScaleFleet(t, 100)
	before := f.generation()
	u := f.change("unread", 1)
	if u.Translated != 0 || u.ChangesModel() || len(u.Reports) > 0 || f.generation() != before {
		t.Errorf("translated %d groups, generation %d after %d: %+v", u.Translated, f.generation(), before, u)
	}
}

// An endpoint change must not wait for a change of objects that is being applied.
func TestEndpoints_doNotWaitForApply(t *testing.T) {
	f := newScaleFleet(t, 100)
	applying, release := make(chan struct{}), make(chan struct{})
	f.changing.Lock() // as Apply does while it translates and compiles
	go func() {
		close(applying)
		<-release
		f.changing.Unlock()
	}()
	<-applying
	f.setEndpoints(1, 3)
	f.Endpoints(namespace(1), "s1", f.source(), time.Now())
	close(release)
	id := model.PoolID{Namespace: namespace(1), Service: "s1", Port: 80}
	if got := f.pools.Pool(id).Set().Len(); got != 3 {
		t.Errorf("%d endpoints, want 3", got)
	}
}

// cpuTime returns the CPU time of this process, which does not depend on the load of the machine.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
