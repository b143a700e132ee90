package stay

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

const canaryPrefix = "nginx.ingress.kubernetes.io/"

// canaryOf is the Service behind the canary of a backend.
func canaryOf(w backend) backend { return w + "-canary" }

// openCanary starts a Limpet in front of three stable pods and three of the canary, for each of the specs.
func openCanary(t *testing.T, specs map[backend]v1alpha1.AffinityPolicySpec) *fixture {
	t.Helper()
	all := map[backend]v1alpha1.AffinityPolicySpec{}
	for w, spec := range specs {
		all[w], all[canaryOf(w)] = spec, spec
	}
	f := newFixture(t, 6, all)
	for w := range specs {
		f.setPods(t, ready(f.pods[:3]...), w)
		f.setPods(t, ready(f.pods[3:]...), canaryOf(w))
	}
	return f
}

// setWeight makes the Ingress of the canary one with that weight, and waits until it is served.
func (o *fixture) setWeight(t *testing.T, w backend, weight int, annotations ...string) {
	t.Helper()
	ingress := w.ingress()
	ingress.Name = string(canaryOf(w))
	backend := &ingress.Spec.Rules[0].HTTP.Paths[0].Backend
	backend.Service.Name = string(canaryOf(w))
	ingress.Annotations = map[string]string{
		canaryPrefix + "canary": "true", canaryPrefix + "canary-weight": strconv.Itoa(weight),
		canaryPrefix + "canary-by-header": "X-Canary", canaryPrefix + "canary-by-cookie": "canary",
	}
	for _, a := range annotations {
		name, value, _ := strings.Cut(a, "=")
		ingress.Annotations[canaryPrefix+name] = value
	}
	generation := o.limpet.generation(t)
	o.apply(t, ingress)
	wait.Until(t, "a table with the weight is served", func() bool { return o.limpet.generation(t) > generation })
}

func (o *fixture) isOnCanary(s *session) bool {
	return slices.ContainsFunc(o.pods[3:], func(p *pod) bool { return p.name == s.pod })
}

// expectShare fails unless the share of the sessions on the canary is within five standard deviations of what it was
// drawn with.
func (o *fixture) expectShare(t *testing.T, sessions []*session, want float64) {
	t.Helper()
	n := 0
	for _, s := range sessions {
		if o.isOnCanary(s) {
			n++
		}
	}
	total := float64(len(sessions))
	if off := math.Abs(float64(n) - want*total); off > 5*math.Sqrt(total*want*(1-want)) {
		t.Errorf("%d of %d sessions are on the canary, want %.0f %%", n, len(sessions), 100*want)
	}
}

func TestCanary_sessionKeepsBackend(t *testing.T) {
	const annotated backend = "annotated" // without a policy, as one comes from ingress-nginx
	sticky := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Split.Sticky = true })
	wrapped := policyOf(methods[byWrapped])
	wrapped.Split.Sticky = true
	f := openCanary(t, map[backend]v1alpha1.AffinityPolicySpec{"issued": sticky, byWrapped: wrapped, annotated: sticky})
	f.annotate(t, annotated)
	for _, w := range []backend{"issued", byWrapped, annotated} {
		t.Run(string(w), func(t *testing.T) {
			var all []*session
			for _, weight := range []int{10, 50, 100, 0} {
				f.setWeight(t, w, weight)
				expectNoneMoves(t, f.limpet, all, 1)
				fresh := newSessions(t, w, len(all), clients)
				settle(t, f.limpet, fresh)
				f.expectShare(t, fresh, float64(weight)/100)
				expectNoneMoves(t, f.limpet, fresh, 2)
				all = append(all, fresh...)
			}
			f.expectAsked(t, all)
			f.expectNobodyWithoutPods(t, w, all)
		})
	}
}

// annotate removes the policies of a backend and configures the same by annotations on its Ingress.
func (o *fixture) annotate(t *testing.T, w backend) {
	t.Helper()
	o.remove(t, w.policy())
	o.remove(t, canaryOf(w).policy())
	ingress := w.ingress()
	ingress.Annotations = map[string]string{"limpet.dev/affinity": "cookie"}
	o.apply(t, ingress)
}

// expectAsked checks that a request that selects a side reaches it, and that the session is where it was afterwards.
// The session's own token is made an hour old, so that a second token would be the newer one.
func (o *fixture) expectAsked(t *testing.T, sessions []*session) {
	t.Helper()
	each(t, sessions, func(s *session) error {
		if s.cookie() != nil {
			s.age(t, time.Now().Add(-time.Hour), time.Now().Add(-time.Hour))
		}
		for _, ask := range []string{"always", "never"} {
			asking := *s
			asking.header = s.header.Clone()
			asking.header.Set("X-Canary", ask)
			a, err := asking.mustGet(o.limpet, "/")
			if err != nil {
				return err
			}
			asking.pod = a.pod
			if o.isOnCanary(&asking) != (ask == "always") {
				return fmt.Errorf("%s: selected the canary: %s, and was served by %s", s, ask, a.pod)
			}
		}
		return s.stays(o.limpet, "/", 1)
	})
}

// expectNobodyWithoutPods ends the canary's pods: its sessions move, once, and no others.
func (o *fixture) expectNobodyWithoutPods(t *testing.T, w backend, sessions []*session) {
	t.Helper()
	var there, elsewhere []*session
	for _, s := range sessions {
		if o.isOnCanary(s) {
			there = append(there, s)
		} else {
			elsewhere = append(elsewhere, s)
		}
	}
	o.setPods(t, nil, canaryOf(w))
	each(t, there, func(s *session) error { return s.movesWithin(o.limpet) })
	expectNoneMoves(t, o.limpet, elsewhere, 1)
}

// movesWithin is movesOnce for a session that may have been on its new side before, and then needs no new value.
func (s *session) movesWithin(l *limpet) error {
	was := s.pod
	a, err := s.mustGet(l, "/")
	if err != nil {
		return err
	}
	if s.pod = a.pod; s.pod == was {
		return fmt.Errorf("%s: still served by %s, which is gone", s, was)
	}
	return s.stays(l, "/", 2)
}

func TestSplit_hashedClientsNeverMoveBack(t *testing.T) {
	spec := policyOf(methods[byHeader])
	spec.Split.Sticky = true
	f := openCanary(t, policies(spec, byHeader))
	all := newSessions(t, byHeader, 0, clients)
	for _, weight := range []int{10, 50, 100} {
		f.setWeight(t, byHeader, weight)
		each(t, all, func(s *session) error {
			was, onCanary := s.pod, f.isOnCanary(s)
			if err := s.settle(f.limpet, "/"); err != nil {
				return err
			}
			if was != "" && s.pod != was && (onCanary || !f.isOnCanary(s)) {
				return fmt.Errorf("%s: was on %s, is now on %s, though the canary has grown", s, was, s.pod)
			}
			return s.stays(f.limpet, "/", 1)
		})
		f.expectShare(t, all, float64(weight)/100)
	}
}

// In ingress-nginx, legacy means that every request is split by weight, regardless of its session.
func TestCanary_perRequest(t *testing.T) {
	f := openCanary(t, policies(issuedWith(func(*v1alpha1.AffinityPolicySpec) {}), "legacy"))
	f.setWeight(t, "legacy", 50, "affinity-canary-behavior=legacy")
	changes := 0
	for _, s := range newSessions(t, "legacy", 0, clients) {
		pods := map[bool]string{} // of each side
		for range 4 {
			a, err := s.mustGet(f.limpet, "/")
			if err != nil {
				t.Fatal(err)
			}
			s.pod = a.pod
			side := f.isOnCanary(s)
			if was := pods[side]; was != "" && was != a.pod {
				t.Fatalf("%s: was on %s, is now on %s of the same side", s, was, a.pod)
			}
			pods[side] = a.pod
		}
		if len(pods) == 2 {
			changes++
		}
	}
	if changes < clients/2 {
		t.Errorf("only %d of %d clients were on both sides", changes, clients)
	}
}

// ingress-nginx has one name for the cookies of both sides, and says in them which side it is.
func TestAdopt_ingressNginxCanary(t *testing.T) {
	const w backend = "adopted"
	spec := issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
		s.Methods[0].Cookie, s.Split.Sticky = cookieNamed(foreignCookie), true
		s.Adopt = []v1alpha1.Adopted{v1alpha1.AdoptIngressNginx}
	})
	f := openCanary(t, policies(spec, w))
	f.setWeight(t, w, 10)
	sessions := newSessions(t, w, 0, clients)
	for i, s := range sessions {
		home, side := f.pods[i%len(f.pods)], w
		if s.pod = home.name; f.isOnCanary(s) {
			side = canaryOf(w)
		}
		s.setCookie(foreignCookie, md5Hex(nginxBackend(side)+home.address())+"|"+nginxMark(side))
	}
	each(t, sessions, func(s *session) error {
		home := s.pod
		if err := s.settle(f.limpet, "/"); err != nil {
			return err
		}
		if s.pod != home {
			return fmt.Errorf("%s: ingress-nginx had it on %s, now it is on %s", s, home, s.pod)
		}
		return s.stays(f.limpet, "/", 2)
	})
}
