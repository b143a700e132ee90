package stay

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

const namespace = "shop"

// backend is one way to recognise clients. Each has a Service, an Ingress with a host, and a policy of its own, over the
// same pods.
type backend string

const (
	byCookie        backend = "cookie"
	byHeader        backend = "header"
	byIP            backend = "ip"
	byToken         backend = "token"          // in a header
	byQuery         backend = "query"          // hashed
	byPath          backend = "path"           // hashed
	byAppCookie     backend = "app-cookie"     // hashed
	byNamed         backend = "named"          // in a cookie of the app
	byWrapped       backend = "wrapped"        // a header of the app
	byWrappedCookie backend = "wrapped-cookie" // of the app
)

var backends = []backend{
	byCookie, byHeader, byIP, byToken, byQuery, byPath, byAppCookie, byNamed, byWrapped, byWrappedCookie,
}

// hashes reports whether sessions are placed by a hash, so that scaling up may move them.
func (w backend) hashes() bool {
	switch w {
	case byHeader, byIP, byQuery, byPath, byAppCookie:
		return true
	}
	return false
}

// valuesOfABinding is the number of cookies and headers that a session receives each time it is bound.
func (w backend) valuesOfABinding() int {
	if w.hashes() {
		return 0
	}
	return 1
}

func (w backend) host() string { return string(w) + ".example.com" }

func (w backend) pool() string { return namespace + "/" + string(w) + ":80" }

func (w backend) method() v1alpha1.Method {
	m := methods[w]
	return *m.DeepCopy()
}

// methods are the affinity methods of the policies. Clients and pods send their values under the names given here.
var methods = map[backend]v1alpha1.Method{
	byCookie: {Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingIssued},
	byHeader: {Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingHashed,
		Header: &v1alpha1.Header{Name: "X-Session-Id"}},
	byIP: {Source: v1alpha1.SourceSourceIP, Binding: v1alpha1.BindingHashed},
	byToken: {Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingIssued,
		Header: &v1alpha1.Header{Name: sessionHeader}},
	byQuery: {Source: v1alpha1.SourceQueryParam, Binding: v1alpha1.BindingHashed,
		QueryParam: &v1alpha1.QueryParam{Name: "sid"}},
	byPath: {Source: v1alpha1.SourcePathSegment, Binding: v1alpha1.BindingHashed,
		PathSegment: &v1alpha1.PathSegment{Index: 1}},
	byAppCookie: {Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingHashed,
		Cookie: &v1alpha1.Cookie{Name: sessionCookie}},
	byNamed: {Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingNamed,
		Cookie: &v1alpha1.Cookie{Name: sessionCookie}},
	byWrapped: {Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingWrapped,
		Header: &v1alpha1.Header{Name: sessionHeader}},
	byWrappedCookie: {Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingWrapped,
		Cookie: &v1alpha1.Cookie{Name: sessionCookie}},
}

const (
	sessionHeader = "Mcp-Session-Id"
	sessionCookie = "JSESSIONID"
)

// baseObjects is everything but the endpoints.
func baseObjects() []client.Object {
	objects := []client.Object{&networkingv1.IngressClass{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "IngressClass"},
		ObjectMeta: metav1.ObjectMeta{Name: "limpet"},
		Spec:       networkingv1.IngressClassSpec{Controller: "limpet.dev/ingress"},
	}}
	for _, w := range backends {
		objects = append(objects, w.service(), w.ingress(), w.policy())
	}
	return objects
}

func (w backend) meta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: string(w)}
}

func (w backend) service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: w.meta(),
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
			{Name: "http", Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(podPort)},
		}},
	}
}

func (w backend) ingress() *networkingv1.Ingress {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: string(w), Port: networkingv1.ServiceBackendPort{Name: "http"}}}
	paths := []networkingv1.HTTPIngressPath{
		{Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix), Backend: backend}}
	return &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: w.meta(),
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("limpet"),
			Rules: []networkingv1.IngressRule{{
				Host: w.host(),
				IngressRuleValue: networkingv1.IngressRuleValue{
					HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths}},
			}},
		},
	}
}

func (w backend) policy() *v1alpha1.AffinityPolicy {
	return &v1alpha1.AffinityPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "AffinityPolicy"},
		ObjectMeta: w.meta(),
		Spec: v1alpha1.AffinityPolicySpec{
			TargetRefs: []v1alpha1.TargetRef{{Kind: "Service", Name: string(w)}},
			Methods:    []v1alpha1.Method{w.method()},
		},
	}
}

// slice is the EndpointSlice of one Service, as the endpoint slice controller would write it.
func (w backend) slice(pods []podState) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		TypeMeta:    metav1.TypeMeta{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"},
		ObjectMeta:  w.meta(),
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{
			{Name: ptr.To("http"), Port: ptr.To[int32](podPort), Protocol: ptr.To(corev1.ProtocolTCP)}},
	}
	s.Labels = map[string]string{discoveryv1.LabelServiceName: string(w)}
	for _, p := range pods {
		s.Endpoints = append(s.Endpoints, p.endpoint())
	}
	return s
}

// podState is a pod as its EndpointSlice shows it, and whether an operator drains it.
type podState struct {
	*pod
	terminating bool
	drained     bool
	notReady    bool // and not terminating
}

func (p podState) endpoint() discoveryv1.Endpoint {
	return discoveryv1.Endpoint{
		Addresses: []string{p.ip},
		Conditions: discoveryv1.EndpointConditions{
			Ready: ptr.To(!p.terminating && !p.notReady), Serving: ptr.To(!p.notReady), Terminating: ptr.To(p.terminating)},
		TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: p.name, UID: types.UID(p.uid)},
	}
}

func ready(pods ...*pod) []podState {
	states := make([]podState, len(pods))
	for i, p := range pods {
		states[i] = podState{pod: p}
	}
	return states
}
