package translate_test

import (
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

var seeds = flag.Int("seeds", 20, "number of random fleets for TestEngine_equalsBuild")

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// twin has an Engine and the objects that it has seen, for a Build from scratch.
type twin struct {
	*fleet
	engine  *translate.Engine
	options translate.Options
	objects map[model.Ref]metav1.Object
	before  *model.Model // of the last Build
	now     time.Time
	mirror  mirror
	edits   []string // the last ones
	source  []translate.Report
	steps   int
}

func newTwin(f *fleet) *twin {
	o := translate.Options{
		OwnerRoutesOnly: f.chance(3), SharesUnmatched: f.chance(2), ServeUnprotected: f.chance(4), TakeUnclassed: f.chance(2),
		ExternalNames: []string{"example.com"}, ReportUnserved: f.chance(3), NginxCookies: f.chance(2), NginxPassthrough: f.chance(2),
	}
	if f.chance(3) {
		o.ACMENamespaces = []string{"n1"}
	}
	if f.chance(2) {
		o.DefaultCertificate = types.NamespacedName{Namespace: "n0", Name: "t0"}
	}
	if f.chance(2) {
		o.HSTS = "max-age=1"
	}
	if f.chance(2) {
		defaults := translate.DefaultNginx()
		o.Classes, o.Nginx = []string{"limpet", "nginx"}, &defaults
	}
	if f.chance(2) {
		o.Classes, o.NginxConfigMap = []string{"limpet", "nginx"}, types.NamespacedName{Namespace: "n0", Name: "c0"}
	}
	if f.chance(3) {
		o.NginxUnenforced = []string{"enable-modsecurity", "proxy-set-headers"}
	}
	if f.chance(2) {
		o.DefaultBackend = types.NamespacedName{Namespace: "n0", Name: "s0"}
	}
	return &twin{fleet: f, engine: translate.NewEngine(o), options: o, objects: map[model.Ref]metav1.Object{}, now: today, mirror: newMirror()}
}

// edit makes one random change, and returns it for the Engine.
func (t *twin) edit() []translate.Change {
	ref, object := t.object()
	change := translate.Change{Ref: ref, Object: object}
	if t.chance(4) {
		delete(t.objects, ref)
		change.Object = nil
	} else {
		t.objects[ref] = object
	}
	switch ref.Kind {
	case "EndpointSlice":
		change.Ref.Kind = translate.KindEndpoints
	case "Pod":
		change.Ref = model.Ref{Kind: translate.KindEndpoints, Namespace: ref.Namespace, Name: strings.TrimSuffix(ref.Name, "-pod")}
	}
	t.edits = append(t.edits, fmt.Sprintf("%v deleted %v", ref, change.Object == nil))
	if ref.Kind == "Pod" {
		return []translate.Change{change, {Ref: ref, Object: change.Object}}
	}
	return []translate.Change{change}
}

// object returns a new object, or an existing one with some new fields.
func (t *twin) object() (model.Ref, metav1.Object) {
	var kind string
	var o metav1.Object
	switch n := t.IntN(40); {
	case n < 16:
		kind, o = model.KindIngress, t.ingress()
	case n < 21:
		kind, o = model.KindService, t.service()
	case n < 24:
		kind, o = model.KindSecret, t.secret()
	case n < 27:
		kind, o = model.KindConfigMap, t.configMap()
	case n < 33:
		kind, o = v1alpha1.Kind, t.policy()
	case n < 34 && t.chance(3):
		kind, o = translate.KindNamespace, t.namespaceObject()
	case n < 34:
		kind, o = translate.KindIngressClass, t.class()
	case n < 37:
		kind, o = "EndpointSlice", t.endpointSlice()
	default:
		kind, o = "Pod", t.pod()
	}
	ref := model.Ref{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName()}
	if known := t.objects[ref]; known != nil && t.chance(3) {
		return ref, t.slightlyChanged(known)
	}
	return ref, o
}

// slightlyChanged returns a copy of an object with changes that mostly do not matter.
func (t *twin) slightlyChanged(known metav1.Object) metav1.Object {
	switch o := known.(type) {
	case *networkingv1.Ingress:
		o = o.DeepCopy()
		o.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "10.0.0.1"}}
		if t.chance(2) {
			o.CreationTimestamp = metav1.NewTime(today.Add(-time.Duration(t.IntN(6)) * time.Hour))
		}
		return o
	case *corev1.Service:
		o = o.DeepCopy()
		o.Annotations = map[string]string{pick(t.fleet, []string{"a", "limpet.dev/affinity", "traefik.ingress.kubernetes.io/service.sticky.cookie"}): "true"}
		return o
	case *v1alpha1.AffinityPolicy:
		o = o.DeepCopy()
		t.vary(&o.ObjectMeta)
		return o
	}
	return known
}

func (t *twin) snapshot() *translate.Snapshot {
	w := &translate.Snapshot{Now: t.now, Reports: t.source}
	for ref, o := range t.objects {
		switch o := o.(type) {
		case *networkingv1.Ingress:
			w.Ingresses = append(w.Ingresses, o)
		case *networkingv1.IngressClass:
			w.IngressClasses = append(w.IngressClasses, o)
		case *corev1.Service:
			w.Services = append(w.Services, o)
		case *corev1.Secret:
			w.Secrets = append(w.Secrets, o)
		case *corev1.ConfigMap:
			w.ConfigMaps = append(w.ConfigMaps, o)
		case *v1alpha1.AffinityPolicy:
			w.Policies = append(w.Policies, o)
		case *discoveryv1.EndpointSlice:
			w.EndpointSlices = append(w.EndpointSlices, o)
		case *metav1.PartialObjectMetadata:
			if ref.Kind == translate.KindNamespace {
				w.Namespaces = append(w.Namespaces, o)
				continue
			}
			w.Pods = append(w.Pods, o)
		}
	}
	return w
}

// step makes some edits, and returns how the result of the Engine differs from that of a Build, "" if it does not.
func (t *twin) step(edits int) string {
	var changes []translate.Change
	for range edits {
		changes = append(changes, t.edit()...)
	}
	if t.chance(20) {
		t.source = t.sourceReports()
		t.engine.SetSourceReports(t.source)
	}
	if t.chance(20) {
		t.now = t.now.Add(time.Duration(t.IntN(100)) * time.Minute)
	}
	return t.compare(changes)
}

// compare applies changes that are already in the objects, and compares the results.
func (t *twin) compare(changes []translate.Change) string {
	w := t.snapshot()
	slicesOf := func(namespace, service string) (out []*discoveryv1.EndpointSlice) {
		for _, s := range w.EndpointSlices {
			if s.Namespace == namespace && s.Labels[discoveryv1.LabelServiceName] == service {
				out = append(out, s)
			}
		}
		return out
	}
	update := t.engine.Apply(changes, translate.EndpointObjects{Slices: slicesOf, Pods: translate.PodsOf(w)}, t.now)
	want := translate.Build(w, t.before, t.options)
	t.before = want.Model
	got := t.engine.Result()
	if diff := difference(&want, &got); diff != "" {
		return "the result of the Engine differs (-want +got):\n" + diff
	}
	t.mirror.apply(update)
	if t.steps++; t.steps%5 != 0 { // a mistake stays in the mirror
		return ""
	}
	return t.mirror.difference(&want, update)
}

// difference compares results. Certificates are compared by their PEM, which is faster.
func difference(want, got *translate.Result) string {
	a, b := withoutPairs(want), withoutPairs(got)
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return onlyChanges(cmp.Diff(a, b))
}

// onlyChanges keeps the lines of a diff that differ, and those before them.
func onlyChanges(diff string) string {
	lines := strings.Split(diff, "\n")
	var out []string
	for i, line := range lines {
		near := lines[max(0, i-2):min(len(lines), i+2)]
		if slices.ContainsFunc(near, func(l string) bool { return strings.HasPrefix(l, "+") || strings.HasPrefix(l, "-") }) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// withoutPairs returns a result without parsed certificates.
func withoutPairs(r *translate.Result) translate.Result {
	m := *r.Model
	m.Certificates = slices.Clone(m.Certificates)
	for i := range m.Certificates {
		m.Certificates[i].Pair = nil
	}
	out := *r
	out.Model = &m
	return out
}

func TestEngine_equalsBuild(t *testing.T) {
	for seed := range *seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			namespaces, names := 2+seed%2, 3+seed%3
			checkFleet(t, newTwin(newFleet(t, uint64(seed), namespaces, names)), 2000)
		})
	}
}

// A fleet of more than two hundred objects.
func TestEngine_largeFleet(t *testing.T) {
	checkFleet(t, newTwin(newFleet(t, 99, 5, 16)), 2000)
}

func checkFleet(t *testing.T, fleet *twin, edits int) {
	t.Helper()
	for done := 0; done < edits; {
		n := 1
		if fleet.chance(10) {
			n += fleet.IntN(10)
		}
		if diff := fleet.step(n); diff != "" {
			t.Fatalf("after %d edits, the last of which are %q:\n%s", done+n, fleet.edits[max(0, len(fleet.edits)-n):], diff)
		}
		done += n
	}
}

// FuzzEngine decodes a sequence of edits: the first byte is the seed of the fleet, each other byte a number of edits.
func FuzzEngine(f *testing.F) {
	f.Add([]byte{1, 5, 1, 1, 1, 30, 1, 1})
	f.Add([]byte{2, 40, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 3 || len(data) > 64 {
			return
		}
		fleet := newTwin(newFleet(t, uint64(data[0])<<8|uint64(data[1]), 2+int(data[1])%3, 2+int(data[0])%5))
		for _, n := range data[2:] {
			if diff := fleet.step(1 + int(n)%32); diff != "" {
				t.Fatalf("after the edits %q:\n%s", fleet.edits, diff)
			}
		}
	})
}
