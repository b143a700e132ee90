package stay

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// handingOff returns the settings of sessions that move when they have been idle for a second.
func handingOff(perMinute int32) v1alpha1.AffinityPolicySpec {
	return issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
		s.Drain.Handoff = &v1alpha1.Handoff{AfterIdle: "1s", MaxPerMinute: perMinute}
	})
}

// startDrain makes the first pod terminate for some backends.
func (o *fixture) startDrain(t *testing.T, pools ...backend) (terminating string) {
	t.Helper()
	pods := ready(o.pods...)
	pods[0].terminating = true
	o.setPods(t, pods, pools...)
	return o.pods[0].name
}

// awaitIdle waits until Limpet would hand off the session. It sends no request of the session.
func (o *fixture) awaitIdle(t *testing.T, s *session) {
	t.Helper()
	wait.Until(t, s.String()+" is idle", func() bool { return o.explain(t, s) == "moved handoff from "+o.pods[0].name })
}

// explain returns the outcome of the next request of a session, and the pod that has its state.
func (o *fixture) explain(t *testing.T, s *session) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"url": "http://" + s.backend.host() + "/", "cookies": []string{s.cookie().Name + "=" + s.cookie().Value},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := http.Post("http://"+o.limpet.admin+"/explain", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	var report struct {
		Outcome, Reason string
		HandoffFrom     struct{ Pod string }
	}
	if err := json.NewDecoder(got.Body).Decode(&report); err != nil {
		t.Fatal(err)
	}
	return report.Outcome + " " + report.Reason + " from " + report.HandoffFrom.Pod
}

// An idle session moves once: parallel requests with its old token go to the same new pod, and name the old one to the app.
// Later requests stay there, and name no pod. If the app fails, the next request is like the first. Sessions of other pods, and of policies without a handoff, do not move.
func TestHandoff_idleSessions(t *testing.T) {
	f := newFixture(t, 4, policies(handingOff(0), "handoff"))
	sessions, others := newSessions(t, "handoff", 0, clients), newSessions(t, byCookie, 0, clients)
	settle(t, f.limpet, sessions)
	settle(t, f.limpet, others)
	moving, staying := on(f.startDrain(t, "handoff", byCookie), sessions)
	f.awaitIdle(t, moving[len(moving)-1])
	if a, err := moving[0].get(f.limpet, "/unavailable"); err != nil || a.status != 503 || a.values() != 0 {
		t.Errorf("the app fails to fetch the state: %+v, %v; want no token", a, err)
	}
	each(t, moving, func(s *session) error { return s.isHandedOff(f.limpet, f.pods[0]) })
	expectNoneMoves(t, f.limpet, append(append(moving, staying...), others...), 2)
	if used := podsOf(moving); len(used) != 3 {
		t.Errorf("the sessions moved to %v, but all pods should get some", used)
	}
	f.expectCounted(t, "handoff", map[string]int{"moved/handoff": len(moving)})
}

const parallelRequests = 6

// frozen is a jar whose cookies do not change, like those of requests that a browser sends before it receives a response.
type frozen struct{ cookies []*http.Cookie }

func (frozen) SetCookies(*url.URL, []*http.Cookie) {}
func (f frozen) Cookies(*url.URL) []*http.Cookie   { return f.cookies }

// isHandedOff sends parallel requests with the token that names the old pod.
func (s *session) isHandedOff(l *limpet, from *pod) error {
	want := fmt.Sprintf("pod=%q, address=%q", from.name, from.address())
	results, errs := make([]*response, parallelRequests), make([]error, parallelRequests)
	var all sync.WaitGroup
	for i := range results {
		alike := *s
		alike.http = &http.Client{Jar: frozen{s.http.Jar.Cookies(s.site())}, Transport: transport}
		all.Go(func() { results[i], errs[i] = alike.mustGet(l, "/") })
	}
	all.Wait()
	for i, a := range results {
		if errs[i] != nil {
			return errs[i]
		}
		if a.pod == from.name || a.pod != results[0].pod || a.header.Get("Saw-"+handoffHeader) != want || a.values() != 1 {
			return fmt.Errorf("%s: request %d went to %s with %d tokens, and request 0 to %s; the app got %q, want %q",
				s, i, a.pod, a.values(), results[0].pod, a.header.Get("Saw-"+handoffHeader), want)
		}
	}
	set := results[0].header.Get("Set-Cookie")
	cookie, err := http.ParseSetCookie(set)
	if err != nil {
		return err
	}
	s.setCookie(cookie.Name, cookie.Value)
	s.pod = results[0].pod
	a, err := s.mustGet(l, "/")
	if err == nil && (a.pod != s.pod || a.header.Get("Saw-"+handoffHeader) != "") {
		err = fmt.Errorf("%s: with its new token it went to %s, and the app got %q", s, a.pod, a.header.Get("Saw-"+handoffHeader))
	}
	return err
}

func TestHandoff_openStream(t *testing.T) {
	f := newFixture(t, 4, policies(handingOff(0), "handoff"))
	t.Cleanup(f.letGo)
	sessions := newSessions(t, "handoff", 0, clients)
	settle(t, f.limpet, sessions)
	streaming, _ := on(f.pods[0].name, sessions)
	streaming = streaming[:5]
	for _, s := range streaming {
		if _, err := s.open(t, f.limpet); err != nil || s.pod != f.pods[0].name {
			t.Fatalf("%s: a stream from %s, %v", s, s.pod, err)
		}
	}
	f.startDrain(t, "handoff")
	idle, _ := on(f.pods[0].name, sessions)
	f.awaitIdle(t, idle[len(idle)-1])
	each(t, streaming, func(s *session) error {
		a, err := s.mustGet(f.limpet, "/")
		if err == nil && a.pod != s.pod {
			err = fmt.Errorf("%s: moved to %s during its stream", s, a.pod)
		}
		return err
	})
	f.letGo()
	for _, s := range streaming {
		f.awaitIdle(t, s)
	}
	each(t, streaming, func(s *session) error { return s.isHandedOff(f.limpet, f.pods[0]) })
}

func TestHandoff_rate(t *testing.T) {
	const perMinute = 10
	f := newFixture(t, 3, policies(handingOff(perMinute), "paced"))
	sessions := newSessions(t, "paced", 0, clients)
	settle(t, f.limpet, sessions)
	from := time.Now()
	there, staying := on(f.startDrain(t, "paced"), sessions)
	f.awaitIdle(t, there[len(there)-1])
	moved := 0
	for _, s := range there {
		a, err := s.mustGet(f.limpet, "/")
		if err != nil {
			t.Fatal(err)
		}
		if a.pod != s.pod {
			moved++
		}
		s.pod = a.pod
	}
	if minutes := int(time.Since(from).Minutes()) + 2; moved < perMinute || moved > minutes*perMinute || len(there) <= 2*perMinute {
		t.Errorf("%d of %d sessions have moved, with %d in a minute", moved, len(there), perMinute)
	}
	_, moving := on(f.pods[0].name, there)
	expectNoneMoves(t, f.limpet, append(moving, staying...), 1)
}

// Sessions that are never idle move at the end of drain.timeout.
func TestHandoff_drainTimeout(t *testing.T) {
	spec := handingOff(0)
	spec.Drain.Timeout, spec.Drain.Handoff.AfterIdle = "2s", "1m"
	f := newFixture(t, 4, policies(spec, "handoff"))
	sessions := newSessions(t, "handoff", 0, clients)
	settle(t, f.limpet, sessions)
	moving, staying := on(f.startDrain(t, "handoff"), sessions)
	f.awaitIdle(t, moving[0])
	each(t, moving, func(s *session) error { return s.isHandedOff(f.limpet, f.pods[0]) })
	expectNoneMoves(t, f.limpet, append(moving, staying...), 2)
}

// The pods of a Service with a handoff may also be reached by another one, without a policy or with one of its own.
func TestHandoff_clientsCannotSendHeader(t *testing.T) {
	f := newFixture(t, 3, policies(handingOff(0), "handoff"))
	for _, w := range []backend{"handoff", byCookie, byHeader} {
		s := newSessions(t, w, 0, 1)[0]
		s.header.Set(handoffHeader, `pod="evil", address="203.0.113.9:80"`)
		if a, err := s.mustGet(f.limpet, "/"); err != nil || a.header.Get("Saw-"+handoffHeader) != "" {
			t.Errorf("%s: the app got %q, %v", w, a.header.Get("Saw-"+handoffHeader), err)
		}
	}
}
