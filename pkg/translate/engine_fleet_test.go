package translate_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// fleetHosts are few, so that many objects conflict.
var fleetHosts = []string{
	"", "a.example.com", "b.example.com", "c.example.com", "*.example.com", "example.com", "x.shop.example.com",
	"*.shop.example.com", "shop.test", "d.example.com", "e.example.com", "localhost", "10.0.0.1", "Bad_Host",
}

var fleetPaths = []string{
	"/", "/cart", "/cart/", "/stock", "/.well-known/acme-challenge/x", "/v[0-9]+", "/a|b", "relative", "/cart/deep",
}

// fleet makes random objects, from few names so that they often refer to each other.
type fleet struct {
	*mathrand.Rand
	namespaces, names int
	// sparse makes connections between Ingresses rare: 0 makes one group of most of them.
	sparse  int
	secrets []map[string][]byte
}

func newFleet(t testing.TB, seed uint64, namespaces, names int) *fleet {
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	return &fleet{random, namespaces, names, int(seed % 4), fleetSecrets(t)}
}

// host returns a host that many Ingresses name or, in a sparse fleet, mostly one that few name.
func (f *fleet) host() string {
	if f.IntN(1+4*f.sparse) == 0 {
		return pick(f, fleetHosts)
	}
	return fmt.Sprintf("h%d.%s", f.IntN(2*f.namespaces*f.names), pick(f, []string{"example.com", "shop.example.com", "other.test"}))
}

// domain returns the domain of a cookie.
func (f *fleet) domain() string {
	if f.IntN(2+4*f.sparse) != 0 {
		return ""
	}
	return pick(f, []string{"example.com", "shop.test", "h0.example.com", "h1.other.test"})
}

// chance returns true in one of n cases.
func (f *fleet) chance(n int) bool { return f.IntN(n) == 0 }

func pick[T any](f *fleet, list []T) T { return list[f.IntN(len(list))] }

func (f *fleet) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: fmt.Sprintf("n%d", f.IntN(f.namespaces)), Name: fmt.Sprintf("%s%d", name, f.IntN(f.names))}
}

// vary sets what most changes of an object do not concern.
func (f *fleet) vary(meta *metav1.ObjectMeta) {
	meta.CreationTimestamp = metav1.NewTime(today.Add(-time.Duration(f.IntN(6)) * time.Hour))
	meta.Generation = int64(f.IntN(3))
	meta.ResourceVersion = fmt.Sprint(f.Uint32())
	meta.Labels = map[string]string{"unread": fmt.Sprint(f.IntN(3))}
	if f.chance(20) {
		meta.DeletionTimestamp = ptr.To(metav1.NewTime(today))
	}
}

func (f *fleet) ingress() *networkingv1.Ingress {
	in := &networkingv1.Ingress{ObjectMeta: f.meta("i")}
	f.vary(&in.ObjectMeta)
	in.Annotations = map[string]string{}
	for range f.IntN(4) {
		keys := sortedKeys(fleetAnnotations)
		key := pick(f, keys)
		in.Annotations[key] = pick(f, fleetAnnotations[key])
	}
	if !f.chance(6) {
		in.Spec.IngressClassName = ptr.To(pick(f, []string{"limpet", "limpet", "limpet", "limpet", "nginx", "nginx", "nginx", "other"}))
	}
	for range min(f.IntN(4), 2) + f.sparse/3 {
		in.Spec.Rules = append(in.Spec.Rules, f.rule())
	}
	if f.chance(6 + 10*f.sparse) {
		in.Spec.DefaultBackend = ptr.To(f.backend())
	}
	for range max(f.IntN(4)-1, 0) {
		in.Spec.TLS = append(in.Spec.TLS, f.tls(in))
	}
	return in
}

func (f *fleet) rule() networkingv1.IngressRule {
	rule := networkingv1.IngressRule{Host: f.host()}
	if f.chance(10) {
		return rule
	}
	rule.HTTP = &networkingv1.HTTPIngressRuleValue{}
	for range 1 + f.IntN(2) {
		rule.HTTP.Paths = append(rule.HTTP.Paths, networkingv1.HTTPIngressPath{
			Path: pick(f, fleetPaths), PathType: ptr.To(pick(f, []networkingv1.PathType{"Prefix", "Exact", "ImplementationSpecific"})),
			Backend: f.backend(),
		})
	}
	return rule
}

func (f *fleet) backend() networkingv1.IngressBackend {
	if f.chance(20) {
		return networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{Kind: "Bucket", Name: "b"}}
	}
	service := &networkingv1.IngressServiceBackend{Name: fmt.Sprintf("s%d", f.IntN(f.names))}
	service.Port = pick(f, []networkingv1.ServiceBackendPort{{Number: 80}, {Number: 80}, {Name: "web"}, {Number: 53}, {Number: 81}})
	return networkingv1.IngressBackend{Service: service}
}

func (f *fleet) tls(in *networkingv1.Ingress) networkingv1.IngressTLS {
	out := networkingv1.IngressTLS{SecretName: pick(f, []string{"t0", "t1", "t2", "", "missing", "ca"})}
	switch f.IntN(3) {
	case 0:
		out.Hosts = []string{f.host()}
	case 1:
		for i := range in.Spec.Rules {
			out.Hosts = append(out.Hosts, in.Spec.Rules[i].Host)
		}
	}
	if f.chance(3 + 3*f.sparse) {
		out.Hosts = append(out.Hosts, "*.example.com")
	}
	return out
}

func (f *fleet) service() *corev1.Service {
	s := &corev1.Service{ObjectMeta: f.meta("s")}
	f.vary(&s.ObjectMeta)
	s.Spec.Ports = []corev1.ServicePort{{Name: "web", Port: 80, Protocol: corev1.ProtocolTCP}}
	if f.chance(3) {
		s.Spec.Selector = map[string]string{"app": pick(f, []string{"a", "b"})}
	}
	s.Spec.ClusterIP = pick(f, []string{"10.96.0.1", "10.96.0.2", "fd00::1", "None", ""})
	if f.chance(10) {
		s.Spec.SessionAffinity = corev1.ServiceAffinityClientIP
	}
	switch f.IntN(8) {
	case 0:
		s.Spec.Type, s.Spec.ExternalName = corev1.ServiceTypeExternalName, pick(f, []string{"db.example.com", "127.0.0.1"})
	case 1:
		s.Spec.Ports[0].AppProtocol = ptr.To(pick(f, []string{"https", "grpc"}))
	case 2:
		s.Spec.Ports[0].Name = ""
	case 3:
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP})
	}
	return s
}

func (f *fleet) secret() *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: f.meta("t")}
	if f.chance(4) {
		s.Name = "ca"
	}
	f.vary(&s.ObjectMeta)
	s.Data = pick(f, f.secrets)
	return s
}

func (f *fleet) configMap() *corev1.ConfigMap {
	c := &corev1.ConfigMap{ObjectMeta: f.meta("c")}
	c.Data = pick(f, []map[string]string{
		nil, {"X-Frame-Options": "DENY"}, {"X-Robots-Tag": "none", "X-A": "1"}, {"Content-Length": "1"}, {"X-A": "a\nb"},
	})
	if c.Namespace == "n0" && c.Name == "c0" && f.chance(2) { // the ConfigMap of ingress-nginx, see newTwin
		c.Data = map[string]string{}
		for range f.IntN(4) {
			key := pick(f, sortedKeys(fleetKeys))
			c.Data[key] = pick(f, fleetKeys[key])
		}
	}
	return c
}

func (f *fleet) class() *networkingv1.IngressClass {
	c := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: pick(f, []string{"limpet", "other", "nginx"})}}
	if f.chance(4) {
		c.Spec.Controller = "k8s.io/ingress-nginx"
	}
	if f.chance(2) {
		c.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
	}
	return c
}

// namespaceObject returns one of the namespaces, which may be being deleted.
func (f *fleet) namespaceObject() *metav1.PartialObjectMetadata {
	n := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: f.meta("n").Namespace}}
	if f.chance(2) {
		n.DeletionTimestamp = &metav1.Time{Time: today}
	}
	return n
}

func (f *fleet) policy() *v1alpha1.AffinityPolicy {
	p := &v1alpha1.AffinityPolicy{ObjectMeta: f.meta("p")}
	f.vary(&p.ObjectMeta)
	for range 1 + f.IntN(2) {
		target := v1alpha1.TargetRef{Kind: "Service", Name: fmt.Sprintf("s%d", f.IntN(f.names))}
		if f.chance(3) {
			target = v1alpha1.TargetRef{Group: "networking.k8s.io", Kind: "Ingress", Name: fmt.Sprintf("i%d", f.IntN(f.names))}
		}
		p.Spec.TargetRefs = append(p.Spec.TargetRefs, target)
	}
	p.Spec.Methods = []v1alpha1.Method{f.method()}
	if f.chance(4) {
		p.Spec.Methods = append(p.Spec.Methods, f.method())
	}
	if f.chance(5) {
		p.Spec.Group = "g"
	}
	if f.chance(4) { // with Hashed it is invalid
		p.Spec.Drain.Handoff = &v1alpha1.Handoff{Header: pick(f, []string{"", "X-From"})}
	}
	if f.chance(5) {
		p.Spec.Adopt = []v1alpha1.Adopted{"IngressNginx"}
	}
	return p
}

func (f *fleet) method() v1alpha1.Method {
	switch f.IntN(5) {
	case 0:
		return v1alpha1.Method{Source: "Header", Binding: "Hashed", Header: &v1alpha1.Header{Name: pick(f, []string{"X-Id", "bad header"})}}
	case 1:
		named := &v1alpha1.Named{Separator: "."}
		named.By, named.Key = v1alpha1.NamedByPodLabel, pick(f, []string{"node", "zone"})
		return v1alpha1.Method{Source: "Cookie", Binding: "Named", Cookie: &v1alpha1.Cookie{Name: "app"}, Named: named}
	}
	return v1alpha1.Method{Source: "Cookie", Binding: "Issued", Cookie: &v1alpha1.Cookie{
		Name: pick(f, []string{"", "sid", "sid", "__Host-sid"}), Domain: f.domain(),
		Path: pick(f, []string{"", "", "/cart"}),
	}}
}

func (f *fleet) endpointSlice() *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{ObjectMeta: f.meta("s"), AddressType: discoveryv1.AddressTypeIPv4}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: s.Name}
	s.Ports = []discoveryv1.EndpointPort{{Name: ptr.To(pick(f, []string{"web", ""})), Port: ptr.To[int32](8080)}}
	for i := range f.IntN(3) {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.0.0.%d", i+1)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: s.Name + "-pod"},
		})
	}
	return s
}

func (f *fleet) pod() *metav1.PartialObjectMetadata {
	p := &metav1.PartialObjectMetadata{ObjectMeta: f.meta("s")}
	p.Name += "-pod"
	if f.chance(2) {
		p.Labels = map[string]string{pick(f, []string{"node", "zone"}): "1"}
	}
	if f.chance(4) {
		p.Annotations = map[string]string{translate.AnnotationDrain: pick(f, []string{"true", "True", "yes"})}
	}
	return p
}

// sourceReports returns Reports of the source for objects that may have other problems.
func (f *fleet) sourceReports() (out []translate.Report) {
	for range f.IntN(3) {
		ref := model.Ref{Kind: pick(f, []string{model.KindIngress, v1alpha1.Kind, "File"}), Namespace: "n0"}
		ref.Name = fmt.Sprintf("%s%d", pick(f, []string{"i", "p"}), f.IntN(f.names))
		out = append(out, translate.Report{Ref: ref, Problems: []translate.Problem{
			{Reason: "InvalidObject", Message: pick(f, []string{"one", "two"})},
		}})
	}
	return out
}
