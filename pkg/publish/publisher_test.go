package publish

import (
	"crypto/x509"
	"net/netip"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/pkg/upstream"
	"github.com/limpet-dev/limpet/test/certificates"
)

// site is a Publisher with its table store and pools.
type site struct {
	*Publisher
	tables routing.Store
	pools  *upstream.Registry
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWithLog(t, testr.New(t))
}

func newSiteWithLog(t testing.TB, log logr.Logger) *site {
	t.Helper()
	store, err := certs.NewStore()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{pools: upstream.NewRegistry()}
	s.Publisher = New(Options{
		Translate: translate.Options{TakeUnclassed: true},
		Tables:    &s.tables, Pools: s.pools, Certs: store, Metrics: observe.NewMetrics(), Log: log,
	})
	return s
}

// snapshotOf returns a Snapshot that routes a host to each Service.
func snapshotOf(services ...string) *translate.Snapshot {
	w := &translate.Snapshot{}
	for _, name := range services {
		meta := metav1.ObjectMeta{Namespace: "shop", Name: name}
		w.Services = append(w.Services, &corev1.Service{ObjectMeta: meta,
			Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP}}}})
		w.Ingresses = append(w.Ingresses, &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{
			Rules: []networkingv1.IngressRule{{Host: name + ".example.com",
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: name, Port: networkingv1.ServiceBackendPort{Number: 80}}}}}}}}}}})
		w.EndpointSlices = append(w.EndpointSlices, sliceOf(name, "10.0.0.1"))
	}
	return w
}

func sliceOf(service string, addresses ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: service,
			Labels: map[string]string{discoveryv1.LabelServiceName: service}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](8080)}},
	}
	for _, a := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{a}})
	}
	return s
}

func sourceOf(slices ...*discoveryv1.EndpointSlice) EndpointSource {
	return SnapshotEndpoints(&translate.Snapshot{EndpointSlices: slices})
}

func (s *site) publish(w *translate.Snapshot) { s.Publish(w, SnapshotEndpoints(w), time.Now()) }

func (s *site) generation() uint64 { return s.tables.Current().Generation }

// endpoints returns the number of endpoints of a pool, -1 if there is no pool.
func (s *site) endpoints(service string) int {
	for _, pool := range s.pools.Pools() {
		if pool.ID == poolOf(service) {
			return pool.Set().Len()
		}
	}
	return -1
}

func poolOf(service string) model.PoolID {
	return model.PoolID{Namespace: "shop", Service: service, Port: 80}
}

func TestReady_emptySnapshot(t *testing.T) {
	s := newSite(t)
	if s.Ready() {
		t.Error("ready before anything was published")
	}
	s.publish(&translate.Snapshot{})
	if !s.Ready() {
		t.Error("not ready after an empty Snapshot was published")
	}
}

func TestPublish_sameModel(t *testing.T) {
	s := newSite(t)
	s.publish(snapshotOf("cart", "stock"))
	s.publish(snapshotOf("stock", "cart"))
	if got := s.generation(); got != 1 {
		t.Errorf("generation %d, want 1", got)
	}
}

// Replicas that saw the same objects have the same digest, regardless of earlier objects and of the order.
func TestPublish_digestOfReplicas(t *testing.T) {
	digest := func(s *site) uint64 { return s.tables.Current().Digest() }
	one, two := newSite(t), newSite(t)
	for _, services := range [][]string{{"cart"}, {"cart", "stock"}, {"stock", "blog"}, {"cart", "stock", "blog"}} {
		one.publish(snapshotOf(services...))
	}
	two.publish(snapshotOf("blog", "stock", "cart"))
	if digest(one) != digest(two) || one.generation() == two.generation() {
		t.Errorf("digests %d and %d in generations %d and %d", digest(one), digest(two), one.generation(), two.generation())
	}
	two.publish(snapshotOf("blog", "stock"))
	if digest(one) == digest(two) {
		t.Errorf("the digest %d misses a host", digest(one))
	}
}

func TestEndpoints_withoutNewTable(t *testing.T) {
	s := newSite(t)
	s.publish(snapshotOf("cart"))
	before := s.tables.Current()
	s.Endpoints("shop", "cart", sourceOf(sliceOf("cart", "10.0.0.1", "10.0.0.2", "10.0.0.3")), time.Now())
	if s.endpoints("cart") != 3 || s.tables.Current() != before {
		t.Errorf("%d endpoints, table replaced: %v", s.endpoints("cart"), s.tables.Current() != before)
	}
}

func TestEndpoints_drainedPod(t *testing.T) {
	s := newSite(t)
	w := snapshotOf("cart")
	endpoint := &w.EndpointSlices[0].Endpoints[0]
	endpoint.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: "cart-0"}
	s.publish(w)
	before := s.tables.Current()
	for _, c := range []struct {
		value string
		want  model.EndpointState
	}{{"true", model.EndpointDraining}, {"false", model.EndpointReady}} {
		w.Pods = []*metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart-0",
			Annotations: map[string]string{translate.AnnotationDrain: c.value}}}}
		s.Endpoints("shop", "cart", SnapshotEndpoints(w), time.Now())
		if got := s.pools.Pool(poolOf("cart")).Set().Endpoint(0).State; got != c.want || s.tables.Current() != before {
			t.Errorf("drain %s: %s, want %s; table replaced: %v", c.value, got, c.want, s.tables.Current() != before)
		}
	}
}

func TestEndpoints_unreferencedService(t *testing.T) {
	s := newSite(t)
	s.publish(snapshotOf("cart"))
	s.Endpoints("shop", "other", sourceOf(sliceOf("other", "10.0.0.9")), time.Now())
	if got := s.endpoints("other"); got != -1 {
		t.Errorf("there is a pool with %d endpoints", got)
	}
}

func TestPublish_endpointsFromSource(t *testing.T) {
	s := newSite(t)
	w := snapshotOf("cart")
	s.publish(w)
	source := sourceOf(sliceOf("cart", "10.0.0.1", "10.0.0.2"))
	s.Endpoints("shop", "cart", source, time.Now())
	w.Ingresses[0].Spec.Rules[0].Host = "other.example.com"
	s.Publish(w, source, time.Now())
	if got := s.endpoints("cart"); got != 2 || s.generation() != 2 {
		t.Errorf("%d endpoints in generation %d, want 2 in 2", got, s.generation())
	}
}

func TestPublish_dropsUnusedPools(t *testing.T) {
	s := newSite(t)
	s.publish(snapshotOf("cart", "stock"))
	s.publish(snapshotOf("cart"))
	if s.endpoints("stock") != -1 || s.endpoints("cart") != 1 {
		t.Errorf("stock has %d endpoints, cart %d", s.endpoints("stock"), s.endpoints("cart"))
	}
}

func TestLast_problems(t *testing.T) {
	s := newSite(t)
	w := snapshotOf("cart")
	w.Services = nil
	s.publish(w)
	if got := s.Last().Problems(); len(got) != 1 || got[0].Problems[0].Reason != translate.ReasonServiceNotFound {
		t.Errorf("got %+v", got)
	}
}

func TestReports_onlyRequested(t *testing.T) {
	s := newSite(t)
	w := snapshotOf("cart", "stock")
	w.Services = nil
	s.publish(w)
	cart := model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "cart"}
	got := s.Reports([]model.Ref{cart, {Kind: model.KindIngress, Namespace: "shop", Name: "none"}, cart})
	if len(got) != 1 || got[0].Ref != cart || len(got[0].Problems) != 1 {
		t.Errorf("got %+v", got)
	}
}

// An invalid Secret must not affect clients, even if the Snapshot is published several times.
func TestPublish_keepsCertificateOfInvalidSecret(t *testing.T) {
	s := newSite(t)
	w := snapshotOf("cart")
	secret := secretOf(t, "tls")
	good := secret.Data
	w.Secrets = []*corev1.Secret{secret}
	w.Ingresses[0].Spec.TLS = []networkingv1.IngressTLS{{SecretName: "tls"}}
	s.publish(w)
	first := s.Last().Model.Certificates[0]
	for _, data := range []map[string][]byte{nil, {"tls.crt": []byte("junk"), "tls.key": good["tls.key"]}, good} {
		secret.Data = data
		s.publish(w)
		last := s.Last().Model.Certificates
		if len(last) != 1 || last[0].Pair != first.Pair {
			t.Errorf("with %d entries of data the certificates are %+v", len(data), last)
		}
	}
	if got := s.generation(); got != 1 {
		t.Errorf("generation %d, want 1", got)
	}
	if got := s.Last().Problems(); len(got) != 0 {
		t.Errorf("the Secret is valid again, and has the problems %+v", got)
	}
	w.Secrets = nil
	s.publish(w)
	if last := s.Last().Model.Certificates; len(last) != 0 {
		t.Errorf("the Secret is deleted, and its certificate %+v is served", last)
	}
}

func secretOf(t *testing.T, name string) *corev1.Secret {
	t.Helper()
	cert, key := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{DNSNames: []string{"*.example.com"}}))
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Data:       map[string][]byte{"tls.crt": cert, "tls.key": key},
	}
}

func TestEndpoints_replicasAreLearned(t *testing.T) {
	s, own := newSite(t), &upstream.SelfAddresses{}
	s.o.Own, s.o.OwnService = own, types.NamespacedName{Namespace: "shop", Name: "limpet"}
	s.publish(snapshotOf("cart"))
	if own.IsReplica(netip.MustParseAddr("10.0.0.8")) {
		t.Error("a replica is known before its EndpointSlice")
	}
	s.Endpoints("shop", "limpet", sourceOf(sliceOf("limpet", "10.0.0.8", "10.0.0.9")), time.Now())
	for text, want := range map[string]bool{"10.0.0.8": true, "10.0.0.9": true, "10.0.0.1": false} {
		if got := own.IsReplica(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is a replica: %v, want %v", text, got, want)
		}
	}
}

// The cluster would send requests for the cluster IP of Limpet's own Service back to Limpet, without end.
func TestPublish_ownServiceKeepsPods(t *testing.T) {
	s := newSite(t)
	s.o.Own, s.o.OwnService = &upstream.SelfAddresses{}, types.NamespacedName{Namespace: "shop", Name: "limpet"}
	w := snapshotOf("limpet", "cart")
	for i := range w.Services {
		w.Services[i].Spec.ClusterIP = "10.96.0.1"
		w.Ingresses[i].Annotations = map[string]string{translate.AnnotationServiceUpstream: "true"}
	}
	s.publish(w)
	for service, want := range map[string]string{"limpet": "10.0.0.1:8080", "cart": "10.96.0.1:80"} {
		id := poolOf(service)
		id.IsService = true
		if set := s.pools.Pool(id).Set(); set.Len() != 1 || set.Endpoint(0).Address != want {
			t.Errorf("%s: %d endpoints, want %s", service, set.Len(), want)
		}
	}
}
