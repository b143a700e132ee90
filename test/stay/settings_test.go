package stay

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// issuedWith returns the settings of sessions by cookie as a test changes them.
func issuedWith(change func(*v1alpha1.AffinityPolicySpec)) v1alpha1.AffinityPolicySpec {
	spec := policyOf(methods[byCookie])
	change(&spec)
	return spec
}

func TestPolicySettings_each(t *testing.T) {
	f := newFixture(t, 6, map[backend]v1alpha1.AffinityPolicySpec{
		"exempt":  issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Exempt.Paths = []string{"/static"} }),
		"moved":   issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.MovedHeader = movedHeader }),
		"group-a": issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Group = "pair" }),
		"group-b": issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Group = "pair" }),
		"full":    issuedWith(func(s *v1alpha1.AffinityPolicySpec) { limitTo(40, v1alpha1.OverflowRefuse, s) }),
		"spill":   issuedWith(func(s *v1alpha1.AffinityPolicySpec) { limitTo(40, v1alpha1.OverflowSpill, s) }),
		"idle": issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
			s.Rebalance.Mode, s.Rebalance.AfterIdle = v1alpha1.RebalanceOnIdle, "10m"
		}),
		"wait": issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
			s.Unavailable.Action, s.Unavailable.Wait = v1alpha1.UnavailableWait, "1m"
		}),
	})
	t.Run("exempt requests are spread, and bind no client", f.exempt)
	t.Run("movedHeader reports moves to the app, and clients cannot", f.movedHeader)
	t.Run("a group is one binding", f.group)
	t.Run("released sessions begin anew", f.release)
	t.Run("full pods refuse new sessions and keep theirs", f.refuseWhenFull)
	t.Run("full pods take new sessions where they may spill", f.spillWhenFull)
	t.Run("idle sessions move to a new pod, and busy ones do not", f.rebalance)
	t.Run("sessions wait for a pod that comes back", f.wait)
	t.Run("apps see their own values, and none of Limpet's", f.hideTokens)
}

func limitTo(n int32, overflow v1alpha1.Overflow, s *v1alpha1.AffinityPolicySpec) {
	s.NewSession.MaxSessionsPerEndpoint, s.NewSession.Overflow = n, overflow
}

func (o *fixture) exempt(t *testing.T) {
	bound, unbound := newSessions(t, "exempt", 0, clients), newSessions(t, "exempt", clients, clients)
	settle(t, o.limpet, bound)
	each(t, append(unbound, bound...), func(s *session) error {
		a, err := s.mustGet(o.limpet, "/static/logo.png")
		if err == nil && a.values() > 0 {
			err = fmt.Errorf("%s: given %d tokens", s, a.values())
		}
		if s.pod == "" && err == nil {
			s.pod = a.pod
		}
		return err
	})
	if used := podsOf(unbound); len(used) != len(o.pods) {
		t.Errorf("exempt requests went to %v", used)
	}
	expectNoneMoves(t, o.limpet, bound, 1)
}

func (o *fixture) movedHeader(t *testing.T) {
	sessions := newSessions(t, "moved", 0, clients)
	settle(t, o.limpet, sessions)
	gone := o.pods[0].name
	o.setPods(t, ready(o.pods[1:]...), "moved")
	each(t, sessions, func(s *session) error {
		want := ""
		if s.pod == gone {
			want = "gone"
		}
		s.header.Set(movedHeader, "says the client")
		for _, want := range []string{want, ""} {
			a, err := s.mustGet(o.limpet, "/")
			if err != nil {
				return err
			}
			if got := a.header.Get("Saw-" + movedHeader); got != want {
				return fmt.Errorf("%s: was on %s, and the app received %q, want %q", s, s.pod, got, want)
			}
		}
		return nil
	})
}

// group lets clients of one host go to another with the cookie of the first, as on one host with two paths. When their
// pod is gone, they move once for both.
func (o *fixture) group(t *testing.T) {
	one, other := newSessions(t, "group-a", 0, clients), newSessions(t, "group-b", 0, clients)
	settle(t, o.limpet, one)
	follow := func() {
		for i, s := range other {
			s.setCookie(one[i].cookie().Name, one[i].cookie().Value)
			s.pod = one[i].pod
		}
		expectNoneMoves(t, o.limpet, other, 2)
	}
	follow()
	gone := o.pods[0].name
	o.setPods(t, ready(o.pods[1:]...), "group-a", "group-b")
	moving, staying := on(gone, one)
	each(t, moving, func(s *session) error { return s.movesOnce(o.limpet) })
	expectNoneMoves(t, o.limpet, staying, 1)
	follow()
}

func (o *fixture) release(t *testing.T) {
	sessions := newSessions(t, byCookie, 10*clients, clients)
	settle(t, o.limpet, sessions)
	each(t, sessions, func(s *session) error {
		a, err := s.mustGet(o.limpet, "/logout")
		if err == nil && (a.pod != s.pod || s.cookie() != nil) {
			err = fmt.Errorf("%s: its logout was served by %s, and it still has %v", s, a.pod, s.cookie())
		}
		return err
	})
	settle(t, o.limpet, sessions)
	expectNoneMoves(t, o.limpet, sessions, 1)
}

// refuseWhenFull sends one request at a time, since the limit of a pod counts the sessions that have received a
// response.
func (o *fixture) refuseWhenFull(t *testing.T) {
	var in, out []*session
	for _, s := range newSessions(t, "full", 0, clients) {
		a, err := s.get(o.limpet, "/")
		switch {
		case err != nil:
			t.Fatal(err)
		case a.status == 200:
			s.pod = a.pod
			in = append(in, s)
		case a.status == 503 && a.header.Get("Retry-After") == "5" && a.values() == 0:
			out = append(out, s)
		default:
			t.Fatalf("%s: %+v", s, a)
		}
	}
	if want := 40 * len(o.pods); len(in) < want*98/100 || len(in) > want*102/100 {
		t.Errorf("%d sessions are in and %d out: want %d in", len(in), len(out), want)
	}
	expectNoneMoves(t, o.limpet, in, 2)
}

func (o *fixture) spillWhenFull(t *testing.T) {
	sessions := newSessions(t, "spill", 0, clients)
	settle(t, o.limpet, sessions)
	for _, p := range o.pods {
		if n := podsOf(sessions)[p.name]; n < 40 {
			t.Errorf("%s has %d sessions, and others have more than 40: %v", p.name, n, podsOf(sessions))
		}
	}
	expectNoneMoves(t, o.limpet, sessions, 2)
}

func (o *fixture) rebalance(t *testing.T) {
	o.setPods(t, ready(o.pods[:5]...), "idle")
	idle, busy := newSessions(t, "idle", 0, clients), newSessions(t, "idle", clients, clients)
	settle(t, o.limpet, idle)
	settle(t, o.limpet, busy)
	o.setPods(t, ready(o.pods...), "idle")
	expectNoneMoves(t, o.limpet, busy, 1)
	each(t, idle, func(s *session) error {
		s.age(t, time.Now().Add(-time.Hour), time.Now().Add(-time.Hour))
		if err := s.settle(o.limpet, "/"); err != nil { // renewed, whether it moves or not
			return err
		}
		return s.stays(o.limpet, "/", 2)
	})
	expectEven(t, append(idle, busy...), o.pods)
}

// hideTokens checks what apps receive: their own values unmodified, and no token in cookies or header fields.
func (o *fixture) hideTokens(t *testing.T) {
	for _, w := range []backend{byCookie, byToken, byWrapped, byWrappedCookie} {
		sessions := newSessions(t, w, 20*clients, clients)
		settle(t, o.limpet, sessions)
		each(t, sessions, func(s *session) error {
			a, err := s.mustGet(o.limpet, "/")
			if err != nil {
				return err
			}
			cookie, header := a.header.Get("Saw-Cookie"), a.header.Get("Saw-"+sessionHeader)
			own := strings.HasSuffix(header, "."+s.pod) || strings.HasSuffix(cookie, "."+s.pod)
			if wraps := w == byWrapped || w == byWrappedCookie; own != wraps || !wraps && cookie+header != "" {
				return fmt.Errorf("%s: the app was sent cookie %q and header %q", s, cookie, header)
			}
			return nil
		})
	}
}

// wait brings the pods back when the requests of their sessions have been sent and no response has been received.
func (o *fixture) wait(t *testing.T) {
	sessions := newSessions(t, "wait", 0, clients)
	settle(t, o.limpet, sessions)
	o.setPods(t, ready(o.pods[:1]...), "wait")
	there, waiting := on(o.pods[0].name, sessions)
	sent, answered := atomic.Int64{}, atomic.Int64{}
	var asking sync.WaitGroup
	for _, s := range waiting {
		asking.Go(func() {
			sent.Add(1)
			if err := s.stays(o.limpet, "/", 1); err != nil {
				t.Error(err)
			}
			answered.Add(1)
		})
	}
	wait.Until(t, "all requests are sent", func() bool { return sent.Load() == int64(len(waiting)) })
	expectNoneMoves(t, o.limpet, there, 2)
	if n := answered.Load(); n > 0 {
		t.Errorf("%d requests were served without their pods", n)
	}
	o.setPods(t, ready(o.pods...), "wait")
	asking.Wait()
	expectNoneMoves(t, o.limpet, sessions, 1)
}
