package stay

import (
	"slices"
	"testing"

	"k8s.io/utils/ptr"
)

// Regardless of what else changes, a session leaves its pod only when that pod stops serving.
func TestOnlyOwnPod_movesSession(t *testing.T) {
	f := newFixture(t, 8, nil)
	f.setPods(t, ready(f.pods[:4]...), backends...)
	whole := t // what a step starts outlives the step
	sessions := map[backend][]*session{}
	for i, w := range backends {
		sessions[w] = newSessions(t, w, i*clients, clients)
		settle(t, f.limpet, sessions[w])
	}
	for _, step := range []struct {
		change string
		make   func(*testing.T, *fixture)
		moves  func(backend) bool // the sessions that it may move
	}{
		{"other Ingresses", changeOtherIngresses, nil},
		{"unrelated fields", changeUnrelatedFields, nil},
		{"the order of endpoints", reverseEndpoints, nil},
		{"another replica", func(t *testing.T, f *fixture) { f.limpet = f.start(t) }, nil},
		{"a restart", func(t *testing.T, f *fixture) { f.restart(t, f.keys) }, nil},
		{"scaling up", func(t *testing.T, f *fixture) { f.setPods(t, ready(f.pods[:6]...), backends...) }, backend.hashes},
	} {
		t.Run(step.change, func(t *testing.T) {
			step.make(whole, f)
			for _, w := range backends {
				if step.moves == nil || !step.moves(w) {
					expectNoneMoves(t, f.limpet, sessions[w], 1)
				}
			}
		})
	}
	t.Run("replacing other pods", func(t *testing.T) { replaceOtherPods(t, f, sessions) })
}

// changeOtherIngresses adds an Ingress, changes its path, and removes its backend.
func changeOtherIngresses(t *testing.T, f *fixture) {
	other := backend("elsewhere")
	f.apply(t, other.service())
	f.apply(t, other.slice(ready(f.pods[:1]...)))
	f.apply(t, other.ingress())
	f.awaitStatus(t, other, "/", 200)
	ingress := other.ingress()
	ingress.Spec.Rules[0].HTTP.Paths[0].Path = "/only"
	f.apply(t, ingress)
	f.awaitStatus(t, other, "/", 404)
	ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Name = "nothing"
	f.apply(t, ingress)
	f.awaitStatus(t, other, "/only", 503)
}

// changeUnrelatedFields changes the metadata of all objects, and adds a path to each Ingress.
func changeUnrelatedFields(t *testing.T, f *fixture) {
	for _, w := range backends {
		service, ingress, policy := w.service(), w.ingress(), w.policy()
		service.Labels = map[string]string{"team": "shop"}
		service.Spec.SessionAffinity = "ClientIP"
		policy.Annotations = map[string]string{"note": "looked at"}
		policy.Spec.MovedHeader = movedHeader
		paths := &ingress.Spec.Rules[0].HTTP.Paths
		*paths = append(*paths, (*paths)[0])
		(*paths)[1].Path, (*paths)[1].PathType = "/more", ptr.To((*(*paths)[0].PathType))
		f.apply(t, service)
		f.apply(t, ingress)
		f.apply(t, policy)
	}
	last := backend("unrelated-fields-are-changed")
	f.apply(t, last.service())
	f.apply(t, last.slice(ready(f.pods[:1]...)))
	f.apply(t, last.ingress())
	f.awaitStatus(t, last, "/", 200)
}

// reverseEndpoints also brings a new pod that is last, so that one sees when it was done.
func reverseEndpoints(t *testing.T, f *fixture) {
	pods := ready(f.pods[:4]...)
	slices.Reverse(pods)
	for _, w := range backends {
		f.apply(t, w.slice(pods))
	}
	last := backend("endpoints-are-reversed")
	f.apply(t, last.service())
	f.apply(t, last.slice(pods))
	f.apply(t, last.ingress())
	f.awaitStatus(t, last, "/", 200)
}

// replaceOtherPods replaces all pods but the last, one after the other. Only the sessions of replaced pods may move, so
// the sessions of the last pod never do.
func replaceOtherPods(t *testing.T, f *fixture, sessions map[backend][]*session) {
	var tokens []*session
	for _, w := range backends {
		if !w.hashes() {
			tokens = append(tokens, sessions[w]...)
		}
	}
	for i := range 2 {
		gone := f.pods[i].name
		f.setPods(t, ready(f.pods[i+1:7+i]...), backends...)
		moving, staying := on(gone, tokens)
		if len(moving) < clients {
			t.Fatalf("only %d sessions are on %s", len(moving), gone)
		}
		expectNoneMoves(t, f.limpet, staying, 1)
		each(t, moving, func(s *session) error { return s.movesOnce(f.limpet) })
	}
}

func TestCookie_twoBackendsOfOneHost(t *testing.T) {
	named := methods[byCookie]
	named.Cookie = cookieNamed("sid")
	for name, method := range map[string]struct{ a, b backend }{"names by default": {"one", "two"}, "one name for both": {"three", "four"}} {
		t.Run(name, func(t *testing.T) {
			spec := policyOf(methods[byCookie])
			if name == "one name for both" {
				spec = policyOf(named)
			}
			f := newFixture(t, 6, policies(spec, method.a, method.b))
			ingress := method.a.ingress()
			paths := &ingress.Spec.Rules[0].HTTP.Paths
			*paths = append(*paths, method.b.ingress().Spec.Rules[0].HTTP.Paths[0])
			(*paths)[1].Path = "/api"
			f.apply(t, ingress)
			f.limpet.stop()
			f.limpet = f.start(t)
			expectApart(t, f, newSessions(t, method.a, 0, clients))
		})
	}
}

// expectApart binds sessions to both backends, and goes back and forth between them.
func expectApart(t *testing.T, f *fixture, sessions []*session) {
	settle(t, f.limpet, sessions)
	each(t, sessions, func(s *session) error {
		other := *s // the same client, as the other backend knows it
		if err := other.settle(f.limpet, "/api"); err != nil {
			return err
		}
		for range 3 {
			if err := s.stays(f.limpet, "/", 1); err != nil {
				return err
			}
			if err := other.stays(f.limpet, "/api", 1); err != nil {
				return err
			}
		}
		return nil
	})
}
