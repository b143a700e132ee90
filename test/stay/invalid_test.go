package stay

import (
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// Each invalid object shares a folder with valid objects. Their sessions continue, and changes to them still take
// effect.
func TestInvalidObject_affectsNoOther(t *testing.T) {
	wrong := backend("wrong")
	f := newFixture(t, 6, policies(policyOf(methods[byCookie]), wrong))
	f.setPods(t, ready(f.pods[:5]...), backends...)
	sessions := map[backend][]*session{}
	for _, w := range backends {
		sessions[w] = newSessions(t, w, 0, clients)
		settle(t, f.limpet, sessions[w])
	}
	expectGoingOn := func(t *testing.T) {
		t.Helper()
		for _, w := range backends {
			expectNoneMoves(t, f.limpet, sessions[w], 1)
		}
	}
	t.Run("a policy that cannot be kept", func(t *testing.T) {
		spec := policyOf(methods[byWrapped])
		spec.IdleTimeout = new(v1alpha1.Duration)
		*spec.IdleTimeout = "30m"
		f.applyPolicy(t, wrong, spec)
		wait.Until(t, "its own backend serves without stickiness", func() bool {
			s := newSessions(t, wrong, 0, 1)[0]
			a, err := s.mustGet(f.limpet, "/")
			return err == nil && a.values() == 0
		})
		expectGoingOn(t)
	})
	t.Run("an Ingress whose Service does not exist", func(t *testing.T) {
		ingress := wrong.ingress()
		ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "nothing"
		f.apply(t, ingress)
		f.awaitStatus(t, wrong, "/", 503)
		expectGoingOn(t)
	})
	t.Run("an Ingress that claims what others have", func(t *testing.T) {
		ingress := wrong.ingress()
		for _, w := range backends {
			rule := w.ingress().Spec.Rules[0]
			rule.HTTP.Paths[0].Backend.Service.Name = "nothing"
			ingress.Spec.Rules = append(ingress.Spec.Rules, rule)
		}
		ingress.Name = "zz-younger"
		ingress.Spec.Rules[0].Host = "claimed.example.com"
		f.apply(t, ingress)
		f.awaitStatus(t, "claimed", "/", 200)
		expectGoingOn(t)
	})
	t.Run("a file that is no YAML", func(t *testing.T) {
		f.write(t, "broken.yaml", []byte("kind: [Ingress\n\t}"))
		expectGoingOn(t)
		f.write(t, "broken.yaml", []byte("# mended\n"))
		f.setPods(t, ready(f.pods...), backends...)
	})
}
