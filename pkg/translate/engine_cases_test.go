package translate_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// caseIngress is an Ingress that routes a host and lists a server name with Secret t. Either may be empty.
type caseIngress struct {
	namespace, name string
	hour            int // of creation: a later one is younger
	routes, lists   string
}

func (c caseIngress) change() translate.Change {
	in := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: c.name}}
	in.CreationTimestamp = metav1.NewTime(today.Add(time.Duration(c.hour) * time.Hour))
	in.Spec.IngressClassName = ptr.To("limpet")
	rule := networkingv1.IngressRule{Host: c.routes, IngressRuleValue: networkingv1.IngressRuleValue{
		HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
			Path: "/" + c.name, PathType: ptr.To(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "s"}},
		}}},
	}}
	in.Spec.Rules = []networkingv1.IngressRule{rule}
	if c.lists != "" {
		in.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "t", Hosts: []string{c.lists}}}
	}
	return translate.Change{Ref: model.Ref{Kind: model.KindIngress, Namespace: c.namespace, Name: c.name}, Object: in}
}

func deleted(c caseIngress) translate.Change { return translate.Change{Ref: c.change().Ref} }

func caseSecret(namespace string, data map[string][]byte) translate.Change {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "t"}, Data: data}
	return translate.Change{Ref: model.Ref{Kind: model.KindSecret, Namespace: namespace, Name: "t"}, Object: s}
}

// Connections that random fleets rarely make.
func TestEngine_rareConnections(t *testing.T) {
	contents := fleetSecrets(t)
	valid, broken := contents[0], contents[5]
	// lister lists a host that it does not route.
	lister := caseIngress{"a", "lister", 1, "other.test", "b.example.com"}
	router := caseIngress{"a", "router", 2, "b.example.com", ""}
	wildcard := caseIngress{"c", "wildcard", 3, "*.example.com", ""}
	younger := caseIngress{"a", "younger", 4, "a.example.com", "*.example.com"}
	older := caseIngress{"a", "older", 0, "third.test", "*.example.com"}
	owner := caseIngress{"b", "owner", 1, "a.example.com", ""}
	for name, steps := range map[string][][]translate.Change{
		"a listed host loses its route": {
			{caseSecret("a", valid), lister.change(), router.change(), wildcard.change()}, {deleted(router)},
		},
		"the wildcard of a listed host gets an owner": {
			{caseSecret("a", valid), lister.change()}, {wildcard.change()}, {deleted(wildcard)},
		},
		"the oldest object lists the wildcard elsewhere": {
			{caseSecret("a", valid), owner.change(), younger.change()}, {older.change()}, {deleted(older)},
		},
		"the group of a lister owns the wildcard": {
			{caseSecret("a", valid), caseIngress{"c", "wildcard", 3, "*.example.com", "other.test"}.change()},
			{router.change(), lister.change()}, {deleted(router)},
		},
		"a broken Secret changes hands": {
			{caseSecret("a", valid), lister.change()}, {caseSecret("a", broken)},
			{deleted(lister), caseIngress{"a", "next", 5, "next.example.com", "next.example.com"}.change()},
		},
	} {
		t.Run(name, func(t *testing.T) {
			fleet := newTwin(newFleet(t, 1, 1, 1))
			fleet.options = translate.Options{}
			fleet.engine = translate.NewEngine(fleet.options)
			for i, changes := range steps {
				for _, c := range changes {
					if fleet.objects[c.Ref] = c.Object; c.Object == nil {
						delete(fleet.objects, c.Ref)
					}
				}
				if diff := fleet.compare(changes); diff != "" {
					t.Fatalf("step %d: %s", i, diff)
				}
			}
		})
	}
}

// The last translation of a certificate may be at the very moment at which it expires.
func TestEngine_certificateExpires(t *testing.T) {
	const expiring = 3 // of fleetSecrets
	fleet := newTwin(newFleet(t, 1, 1, 1))
	fleet.options = translate.Options{}
	fleet.engine = translate.NewEngine(fleet.options)
	lister := caseIngress{"a", "lister", 5, "a.example.com", "a.example.com"}.change()
	changes := []translate.Change{caseSecret("a", fleetSecrets(t)[expiring]), lister}
	for _, c := range changes {
		fleet.objects[c.Ref] = c.Object
	}
	for _, after := range []time.Duration{0, 30 * time.Minute, 6 * time.Hour, 7 * time.Hour} {
		fleet.now = today.Add(after)
		if diff := fleet.compare(changes); diff != "" {
			t.Errorf("after %v: %s", after, diff)
		}
		changes = nil
	}
}
