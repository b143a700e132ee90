package controllers

import (
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/test/certificates"
)

// fakePublisher translates like publish.Publisher and records its arguments.
type fakePublisher struct {
	keys    *affinity.Keys
	options translate.Options
	engine  *translate.Engine

	mu         sync.Mutex
	published  int
	early      bool // a table was published before the keys were loaded
	last       translate.Result
	configMaps map[string]*corev1.ConfigMap // as last seen, by namespace and name
	newest     publish.EndpointSource       // of the last table
	endpoints  map[string][]model.Endpoint  // by Service, from the fast path
	fast       int
	worst      time.Duration // longest delay from event to publisher
}

func newFakePublisher(keys *affinity.Keys) *fakePublisher {
	return &fakePublisher{keys: keys, endpoints: map[string][]model.Endpoint{}, configMaps: map[string]*corev1.ConfigMap{}}
}

func (p *fakePublisher) Apply(
	changes []translate.Change, newest publish.EndpointSource, since time.Time,
) *translate.Update {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine == nil {
		p.engine = translate.NewEngine(p.options)
	}
	p.published++
	for i := range changes {
		if ref := changes[i].Ref; ref.Kind == model.KindConfigMap {
			p.configMaps[ref.Namespace+"/"+ref.Name], _ = changes[i].Object.(*corev1.ConfigMap)
		}
	}
	p.newest = newest
	p.early = p.early || p.keys.Load() == nil
	p.worst = max(p.worst, time.Since(since))
	update := p.engine.Apply(changes, translate.EndpointObjects{Slices: newest.Slices, Pods: newest.Pods}, time.Now())
	p.last = p.engine.Result()
	return update
}

func (p *fakePublisher) Endpoints(namespace, service string, newest publish.EndpointSource, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fast++
	p.worst = max(p.worst, time.Since(since))
	pool := model.Pool{ID: model.PoolID{Namespace: namespace, Service: service, Port: 80}}
	p.endpoints[namespace+"/"+service] = translate.Endpoints(pool, newest.Slices(namespace, service), newest.Pods)
}

// locked returns a function that calls f while the publisher is locked.
func (p *fakePublisher) locked(f func(*fakePublisher) bool) func() bool {
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return f(p)
	}
}

// serves returns a condition: the last table has a route for host from an object in namespace.
func (p *fakePublisher) serves(namespace, host string) func() bool {
	return p.locked(func(p *fakePublisher) bool {
		if p.last.Model == nil {
			return false
		}
		for _, route := range p.last.Model.Routes {
			if route.Host == host && route.Source.Namespace == namespace {
				return true
			}
		}
		return false
	})
}

// logLines records the log of a replica. It is safe for concurrent use.
type logLines struct {
	mu    sync.Mutex
	lines []string
}

// logger returns a logger that appends to l. The lines are printed if the test fails.
func (l *logLines) logger(t *testing.T) logr.Logger {
	t.Cleanup(func() {
		if t.Failed() {
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Log(strings.Join(l.lines, "\n"))
		}
	})
	return funcr.New(func(prefix, line string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, prefix+" "+line)
	}, funcr.Options{LogTimestamp: true})
}

func (l *logLines) contain(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.lines, func(line string) bool { return strings.Contains(line, part) })
}

func ingress(namespace, name string) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: networkingv1.IngressSpec{
			IngressClassName: ptr.To("limpet"),
			Rules: []networkingv1.IngressRule{{
				Host: name + ".example.com",
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: name, Port: networkingv1.ServiceBackendPort{Number: 80},
						}},
					}},
				}},
			}},
		},
	}
}

func service(namespace, name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"app": name},
			Ports:    []corev1.ServicePort{{Port: 80}},
		},
	}
}

func slice(namespace, service string, addresses ...string) *discoveryv1.EndpointSlice {
	s := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: service + "-slice",
			Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To(""), Port: ptr.To[int32](8080)}},
	}
	for _, address := range addresses {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}})
	}
	return s
}

// policy returns a valid policy for a Service.
func policy(namespace, name, service string) *v1alpha1.AffinityPolicy {
	return &v1alpha1.AffinityPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.AffinityPolicySpec{
			TargetRefs: []v1alpha1.TargetRef{{Kind: "Service", Name: service}},
			Methods:    []v1alpha1.Method{{Source: v1alpha1.SourceSourceIP, Binding: v1alpha1.BindingHashed}},
		},
	}
}

// makeInvalid makes the policy one that the API server accepts and translation rejects.
func makeInvalid(p *v1alpha1.AffinityPolicy) {
	p.Spec.Methods = []v1alpha1.Method{{
		Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingWrapped, Header: &v1alpha1.Header{Name: "X-Id"},
	}}
	p.Spec.IdleTimeout = ptr.To[v1alpha1.Duration]("10m")
}

func keySecretObject() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: limpetNamespace, Name: DefaultKeySecret}}
}

func lease() *coordinationv1.Lease {
	return &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: limpetNamespace, Name: defaultLeaseName}}
}

// tlsSecret returns a Secret with a self-signed certificate for *.example.com.
func tlsSecret(t *testing.T, namespace, name string, expires time.Time) *corev1.Secret {
	t.Helper()
	cert, key := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{DNSNames: []string{"*.example.com"}, NotAfter: expires}))
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: cert, corev1.TLSPrivateKeyKey: key},
	}
}
