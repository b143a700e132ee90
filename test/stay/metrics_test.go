package stay

import (
	"bufio"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// metrics returns what a Limpet has counted, by name and labels as they are written.
func (l *limpet) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	answer, err := http.Get("http://" + l.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	samples := map[string]float64{}
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			samples[name] = n
		}
	}
	return samples
}

// expectCounted waits for decisions to be counted, by outcome and reason.
func (o *fixture) expectCounted(t *testing.T, w backend, want map[string]int) {
	t.Helper()
	for what, n := range want {
		outcome, reason, _ := strings.Cut(what, "/")
		name := `limpet_affinity_decisions_total{outcome="` + outcome + `",pool="` + w.pool() + `",reason="` + reason + `"}`
		wait.Until(t, name+" is "+strconv.Itoa(n), func() bool { return o.limpet.metrics(t)[name] == float64(n) })
	}
}

func TestMetrics_outcomes(t *testing.T) {
	fail := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Unavailable.Action = v1alpha1.UnavailableFail })
	f := newFixture(t, 6, policies(fail, "strict"))
	f.seeSessions(t)
	strict := newSessions(t, "strict", 0, clients)
	settle(t, f.limpet, strict)
	f.setPods(t, ready(f.pods[1:]...), "strict")
	gone, _ := on(f.pods[0].name, strict)
	each(t, gone, func(s *session) error { _, err := s.get(f.limpet, "/"); return err })
	f.expectCounted(t, "strict", map[string]int{"new/": clients, "refused/gone": len(gone)})
}

// seeSessions counts the result of sessions by cookie, and the sessions of each pod.
func (o *fixture) seeSessions(t *testing.T) {
	t.Helper()
	sessions := newSessions(t, byCookie, 0, clients)
	settle(t, o.limpet, sessions)
	expectNoneMoves(t, o.limpet, sessions, 2)
	o.expectCounted(t, byCookie, map[string]int{"new/": clients, "hit/": 2 * clients})
	seen := o.limpet.metrics(t)
	for _, p := range o.pods {
		name := `limpet_endpoint_sessions{endpoint="` + p.address() + `",pool="` + byCookie.pool() + `",state="Ready"}`
		if got, want := seen[name], float64(podsOf(sessions)[p.name]); math.Abs(got-want) > 2 {
			t.Errorf("%s is %.0f, want %.0f", name, got, want)
		}
	}
	forgers := newSessions(t, byCookie, clients, clients)
	for i, s := range forgers {
		s.setCookie(sessions[i].cookie().Name, "forged")
	}
	settle(t, o.limpet, forgers)
	o.setPods(t, ready(o.pods[1:]...), byCookie)
	gone, _ := on(o.pods[0].name, sessions)
	each(t, gone, func(s *session) error { return s.movesOnce(o.limpet) })
	o.expectCounted(t, byCookie, map[string]int{
		"new/": clients, "invalid/": clients, "moved/gone": len(gone), "hit/": 2*clients + 2*len(gone),
	})
}
