package translate_test

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/pkg/upstream"
	"github.com/limpet-dev/limpet/test/certificates"
)

// setting is a setting of a host by an Ingress.
type setting struct {
	apply func(*networkingv1.Ingress)
	// counts reports whether the setting applies to the host of the Ingress or, for a wildcard host, to a name below it.
	counts func(o ownershipOutcome, host string) bool
	// shared is true for settings that every namespace may make for every host.
	shared  bool
	options translate.Options
}

// ownershipOutcome is the Result for a Snapshot with a setting.
type ownershipOutcome struct {
	translate.Result
	setter model.Ref
}

func (o ownershipOutcome) hostOf(name string) model.Host {
	i := slices.IndexFunc(o.Model.Hosts, func(h model.Host) bool { return h.Name == name })
	if i < 0 {
		return model.Host{}
	}
	return o.Model.Hosts[i]
}

// routed reports whether the table routes a request to the Ingress with the setting.
func (o ownershipOutcome) routed(host, path string) bool {
	table := routing.Compile(o.Model, upstream.NewRegistry(), nil, time.Time{})
	r := table.Match([]byte(strings.Replace(host, "*", "any", 1)), []byte(path), nil)
	return r != nil && r.Source == o.setter
}

func annotated(key, value string) func(*networkingv1.Ingress) {
	return func(i *networkingv1.Ingress) { i.Annotations[key] = value }
}

func withPath(path string) func(*networkingv1.Ingress) {
	return func(i *networkingv1.Ingress) {
		paths := &i.Spec.Rules[0].HTTP.Paths
		*paths = append(*paths, pathTo(path))
	}
}

const challenge = "/.well-known/acme-challenge/token"

var hostSettings = map[string]setting{
	"certificate": {
		apply: func(i *networkingv1.Ingress) {
			i.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "tls"}}
		},
		counts: func(o ownershipOutcome, host string) bool {
			return slices.ContainsFunc(o.Model.Certificates, func(c model.Certificate) bool {
				return c.Secret.Namespace == o.setter.Namespace && slices.Contains(c.ServerNames, host)
			})
		},
	},
	"tls-min-version": {
		apply:  annotated(translate.AnnotationMinVersion, "1.3"),
		counts: func(o ownershipOutcome, host string) bool { return o.hostOf(host).MinVersion == model.TLS13 },
	},
	"client-ca": {
		apply:  annotated(translate.AnnotationClientCA, "ca"),
		counts: func(o ownershipOutcome, host string) bool { return o.hostOf(host).Clients != nil },
	},
	"hsts": {
		apply: annotated(translate.AnnotationHSTS, "max-age=600"),
		counts: func(o ownershipOutcome, _ string) bool {
			return slices.ContainsFunc(o.Model.Routes, func(r model.Route) bool { return r.TransportSecurity != "" })
		},
	},
	"challenge": {
		apply:  withPath(challenge),
		counts: func(o ownershipOutcome, host string) bool { return o.routed(host, challenge) },
	},
	"path": {
		apply:  withPath("/new"),
		counts: func(o ownershipOutcome, host string) bool { return o.routed(host, "/new") },
		shared: true,
	},
	"path with host-routes=owner": {
		apply:   withPath("/new"),
		counts:  func(o ownershipOutcome, host string) bool { return o.routed(host, "/new") },
		options: translate.Options{OwnerRoutesOnly: true},
	},
}

// The namespace shop has the older Ingresses for shop.example, *.wild.example and any host. Namespace other makes the same
// settings for these hosts, and on sub.wild.example, which it alone routes.
func TestOwnership_everySetting(t *testing.T) {
	for name, s := range hostSettings {
		for _, c := range []struct {
			position, namespace, host string
			counts                    bool
		}{
			{"owner", "shop", "shop.example", true},
			{"owner of the wildcard", "shop", "*.wild.example", true},
			{"owner of any host", "shop", "", true},
			{"same host", "other", "shop.example", s.shared},
			{"wildcard", "other", "*.wild.example", s.shared},
			{"any host", "other", "", s.shared},
			{"host below the wildcard", "other", "sub.wild.example", true},
		} {
			t.Run(name+"/"+c.position, func(t *testing.T) {
				o := ownershipOf(t, s, c.namespace, c.host)
				if got := s.counts(o, c.host); got != c.counts {
					t.Errorf("counts: %v, want %v", got, c.counts)
				}
				wantReasons(t, o, o.setter, translate.ReasonHostConflict, !c.counts)
				wantReasons(t, o, ownerRef, translate.ReasonHostClaimed, !c.counts)
			})
		}
	}
}

var ownerRef = model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "owner"}

// wantReasons fails unless the Report of an Ingress has just the one reason, or is without problems.
func wantReasons(t *testing.T, o ownershipOutcome, ref model.Ref, reason string, want bool) {
	t.Helper()
	for _, r := range o.Reports {
		if r.Ref != ref {
			continue
		}
		for _, p := range r.Problems {
			if p.Reason != reason {
				t.Errorf("%s: unexpected problem %+v", ref, p)
			}
		}
		if got := len(r.Problems) > 0; got != want {
			t.Errorf("%s: the problems are %v, want reason %s: %v", ref, r.Problems, reason, want)
		}
	}
}

func ownershipOf(t *testing.T, s setting, namespace, host string) ownershipOutcome {
	t.Helper()
	w := sharedSnapshot(t)
	setter := ingressFor(namespace, "setter", 2, host)
	s.apply(setter)
	w.Ingresses = append(w.Ingresses, setter)
	o := s.options
	o.TakeUnclassed = true
	return ownershipOutcome{translate.Build(w, nil, o), model.Ref{Kind: model.KindIngress, Namespace: namespace, Name: "setter"}}
}

// sharedSnapshot has what namespace shop owns, and the Services and Secrets of both namespaces.
func sharedSnapshot(t *testing.T) *translate.Snapshot {
	t.Helper()
	w := &translate.Snapshot{Ingresses: []*networkingv1.Ingress{
		ingressFor("shop", "owner", 1, "shop.example", "*.wild.example", ""),
	}}
	for _, namespace := range []string{"shop", "other"} {
		meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: namespace, Name: name} }
		w.Services = append(w.Services, &corev1.Service{ObjectMeta: meta("app"),
			Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}})
		cert, key := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{
			DNSNames: []string{"shop.example", "*.wild.example", "new.example"}}))
		w.Secrets = append(w.Secrets,
			&corev1.Secret{ObjectMeta: meta("tls"), Data: map[string][]byte{"tls.crt": cert, "tls.key": key}},
			&corev1.Secret{ObjectMeta: meta("ca"), Data: map[string][]byte{"ca.crt": cert}})
	}
	return w
}

// ingressFor returns an Ingress that was created on a day of January 2026.
func ingressFor(namespace, name string, day int, hosts ...string) *networkingv1.Ingress {
	i := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespace, Name: name, Annotations: map[string]string{},
		CreationTimestamp: metav1.Date(2026, 1, day, 0, 0, 0, 0, time.UTC),
	}}
	for _, host := range hosts {
		i.Spec.Rules = append(i.Spec.Rules, networkingv1.IngressRule{Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{pathTo("/" + name)}}}})
	}
	return i
}

func pathTo(path string) networkingv1.HTTPIngressPath {
	return networkingv1.HTTPIngressPath{Path: path, PathType: ptr.To(networkingv1.PathTypePrefix),
		Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: "app", Port: networkingv1.ServiceBackendPort{Number: 80}}}}
}

// Unmatched requests fall through to the Ingress only if the owner of the host allows it.
func TestOwnership_unmatchedPaths(t *testing.T) {
	for _, c := range []struct {
		position, namespace, host, requested string
		counts                               bool
	}{
		{"any host of the owner", "shop", "", "shop.example", true},
		{"any host of another", "other", "", "shop.example", false},
		{"wildcard of the owner", "shop", "*.wild.example", "own.wild.example", true},
		{"wildcard of another", "other", "*.wild.example", "own.wild.example", false},
		{"any host of another, below a wildcard", "other", "", "free.wild.example", false},
		{"any host, no Ingress names it", "other", "", "unknown.example", true},
		{"wildcard, no Ingress names it", "other", "*.wild.example", "free.wild.example", true},
		{"below the own wildcard", "other", "*.new.example", "own.new.example", true},
	} {
		t.Run(c.position, func(t *testing.T) {
			for _, shares := range []bool{false, true} {
				w := sharedSnapshot(t)
				w.Ingresses = append(w.Ingresses, ingressFor("shop", "below", 1, "own.wild.example"),
					ingressFor("other", "new", 1, "own.new.example"), ingressFor(c.namespace, "setter", 2, c.host))
				o := ownershipOutcome{translate.Build(w, nil, translate.Options{TakeUnclassed: true, SharesUnmatched: shares}),
					model.Ref{Kind: model.KindIngress, Namespace: c.namespace, Name: "setter"}}
				if got := o.routed(c.requested, "/setter"); got != (c.counts || shares) {
					t.Errorf("shared %v: served: %v, want %v", shares, got, c.counts || shares)
				}
			}
		})
	}
}
