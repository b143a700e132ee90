package translate_test

import (
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// solverFor returns an Ingress that routes nothing but one ACME challenge, and is older than all others.
func solverFor(namespace, host string) *networkingv1.Ingress {
	i := ingressFor(namespace, "setter", 1, host)
	i.CreationTimestamp.Time = i.CreationTimestamp.AddDate(-1, 0, 0)
	i.Spec.Rules[0].HTTP.Paths = []networkingv1.HTTPIngressPath{pathTo(challenge)}
	return i
}

func TestChallenges_namespaces(t *testing.T) {
	for _, c := range []struct {
		name, host, requested string
		allowed               []string
		challenge             bool
	}{
		{name: "allowed", host: "shop.example", allowed: []string{"issuers", "other"}, challenge: true},
		{name: "allowed, wildcard", host: "*.wild.example", requested: "a.wild.example", allowed: []string{"other"}, challenge: true},
		{name: "allowed, any host", host: "", requested: "shop.example", allowed: []string{"other"}, challenge: true},
		{name: "allowed, below a wildcard", host: "a.wild.example", allowed: []string{"other"}, challenge: true},
		{name: "another is allowed", host: "*.wild.example", requested: "a.wild.example", allowed: []string{"issuers"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := sharedSnapshot(t)
			w.Ingresses[0].Annotations[translate.AnnotationClientCA] = "ca"
			solver := solverFor("other", c.host)
			if !c.challenge {
				solver.CreationTimestamp = ingressFor("other", "setter", 2).CreationTimestamp
			}
			w.Ingresses = append(w.Ingresses, solver)
			options := translate.Options{TakeUnclassed: true, ACMENamespaces: c.allowed}
			o := ownershipOutcome{translate.Build(w, nil, options), model.Ref{Kind: model.KindIngress, Namespace: "other", Name: "setter"}}
			requested := c.requested
			if requested == "" {
				requested = c.host
			}
			if got := o.routed(requested, challenge); got != c.challenge {
				t.Errorf("the challenge is served: %v, want %v", got, c.challenge)
			}
			table := routing.Compile(o.Model, upstream.NewRegistry(), nil, time.Time{})
			r := table.Match([]byte(requested), []byte("/owner"), nil)
			if r == nil || r.Source != ownerRef || r.Clients == nil {
				t.Fatalf("the path of the owner is served by %+v", r)
			}
			if h := table.TLS([]byte(requested)); h.ClientFingerprint() != r.Clients.Fingerprint {
				t.Errorf("the handshake requests %+v", h)
			}
		})
	}
}

// An ACME namespace gets no other right on the hosts of others.
func TestChallenges_otherPaths(t *testing.T) {
	w := sharedSnapshot(t)
	w.Ingresses = append(w.Ingresses, ingressFor("other", "setter", 2, "shop.example", ""))
	w.Ingresses[1].Spec.Rules[1].HTTP.Paths = []networkingv1.HTTPIngressPath{pathTo("/")}
	options := translate.Options{TakeUnclassed: true, OwnerRoutesOnly: true, ACMENamespaces: []string{"other"}}
	o := ownershipOutcome{translate.Build(w, nil, options), model.Ref{Kind: model.KindIngress, Namespace: "other", Name: "setter"}}
	for _, path := range []string{"/setter", challenge, "/x"} {
		if o.routed("shop.example", path) {
			t.Errorf("%s is served", path)
		}
	}
}

// A route for a challenge below the wildcard of the same owner does not change how the host is protected.
func TestChallenges_inheritSettings(t *testing.T) {
	for name, below := range map[string]*networkingv1.Ingress{
		"solver":            solverFor("shop", "a.wild.example"),
		"solver of another": solverFor("other", "a.wild.example"),
		"an app":            ingressFor("shop", "setter", 2, "a.wild.example"),
	} {
		t.Run(name, func(t *testing.T) {
			w := sharedSnapshot(t)
			w.Ingresses[0].Annotations[translate.AnnotationClientCA] = "ca"
			w.Ingresses = append(w.Ingresses, below)
			o := ownershipOutcome{Result: translate.Build(w, nil, translate.Options{TakeUnclassed: true})}
			if got := o.hostOf("a.wild.example").Clients != nil; got != (name == "solver") {
				t.Errorf("client certificates are requested: %v", got)
			}
		})
	}
}
