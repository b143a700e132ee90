package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity/store"
	"github.com/limpet-dev/limpet/pkg/model"
)

// startIssuer runs a pod that sets these header lines for requests to /login. It responds 404 to requests to /missing.
func startIssuer(t testing.TB, name, lines string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			status, set := "200 OK", ""
			if strings.Contains(head, " /login ") {
				set = lines
			}
			if strings.Contains(head, " /missing") {
				status = "404 Not Found"
			}
			if !c.say("HTTP/1.1 " + status + "\r\nX-Pod: " + name + "\r\n" + set + "Content-Length: 0\r\n\r\n") {
				return
			}
		}
	})
}

// learnedRig has a real store in memory whose clock is the returned number of seconds.
func learnedRig(t testing.TB) (*rig, *store.Memory, *atomic.Int64) {
	t.Helper()
	clock := &atomic.Int64{}
	clock.Store(time.Now().Unix())
	sessions := store.NewMemory(store.Options{Now: clock.Load})
	return newRig(t, func(o *Options) { o.Sessions = sessions }), sessions, clock
}

func TestLearned_timeouts(t *testing.T) {
	for name, c := range map[string]struct {
		absolute, idle time.Duration
		pauses         []int64
		want           string
	}{
		"absolute, in use":      {8 * time.Second, 0, []int64{3, 3, 2}, "expired"},
		"absolute, not reached": {4 * time.Hour, 0, []int64{3 * 3600}, ""},
		"idle":                  {0, 5 * time.Second, []int64{4, 4, 5}, "expired"},
		"idle, in use":          {0, 5 * time.Second, []int64{4, 4, 4, 4}, ""},
		"idle, long":            {0, 12 * time.Hour, []int64{11 * 3600, 11 * 3600}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, _, clock := learnedRig(t)
			a := affinityBy(ownMethod(model.SourceHeader, model.BindingLearned))
			a.AbsoluteTimeout, a.IdleTimeout = c.absolute, c.idle
			r.serve(a, startIssuer(t, "a", "Mcp-Session-Id: own\r\n"))
			conn := r.dial()
			conn.get("/login").expectOK(t, "")
			for _, pause := range c.pauses {
				clock.Add(pause)
				conn.get("/", "mcp-session-id: own").expectOK(t, "")
			}
			expired := 0
			if c.want == "expired" {
				expired = 1
			}
			r.expectDecision("moved", "expired", expired)
			r.expectDecision("hit", "", len(c.pauses)-expired)
			conn.get("/", "mcp-session-id: own").expectOK(t, "") // the session has started again
			r.expectDecision("hit", "", len(c.pauses)-expired+1)
		})
	}
}

func TestLearned_inventedQueries(t *testing.T) {
	r, sessions, _ := learnedRig(t)
	r.serve(affinityBy(model.Method{
		Source: model.SourceQueryParam, Binding: model.BindingLearned, QueryParam: &model.QueryParam{Name: "sid"},
	}), startIssuer(t, "a", ""))
	c := r.dial()
	for _, step := range []struct {
		target string
		want   int
	}{
		{"/?sid=1", 0}, {"/?sid=2", 0}, {"/missing?sid=3", 0}, {"/missing?sid=3", 0}, {"/?sid=1", 1}, {"/?sid=1", 1},
		{"/missing?sid=2", 2},
	} {
		c.get(step.target)
		if sessions.Len() != step.want {
			t.Fatalf("%s: %d sessions stored, want %d", step.target, sessions.Len(), step.want)
		}
	}
}

// The app sets the id in a cookie of another name. A client without cookies sends it back in a header.
func TestLearned_fromCookieToHeader(t *testing.T) {
	r, _, _ := learnedRig(t)
	a := affinityBy(ownMethod(model.SourceCookie, model.BindingLearned), ownMethod(model.SourceHeader, model.BindingLearned))
	a.LearnedFrom = []model.ResponseField{{Source: model.SourceCookie, Name: "app"}}
	var pods []*pod
	for _, name := range []string{"a", "b", "c", "d"} {
		pods = append(pods, startIssuer(t, name, "Set-Cookie: app=own-"+name+"; Path=/\r\n"))
	}
	r.serve(a, pods...)
	for range 4 {
		first := r.dial().get("/login")
		pair, _, _ := strings.Cut(first.header.Get("Set-Cookie"), ";")
		id := strings.TrimPrefix(pair, "app=")
		expectBackFrom(t, r, first.header.Get("X-Pod"), "mcp-session-id: "+id)
		expectBackFrom(t, r, first.header.Get("X-Pod"), "Cookie: sid="+id)
	}
}

func TestHashed_idOfTheApp(t *testing.T) {
	r := newRig(t)
	a := affinityBy(ownMethod(model.SourceHeader, model.BindingHashed))
	a.Source = model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}
	r.serve(a, startIssuer(t, "a", "Mcp-Session-Id: own\r\n"))
	c := r.dial()
	sample := `limpet_likely_mistakes{mistake="hashed_value_of_app",object="AffinityPolicy shop/cart"}`
	c.get("/", "Mcp-Session-Id: mine").expectStatus(t, http.StatusOK)
	c.get("/login", "Mcp-Session-Id: own").expectStatus(t, http.StatusOK) // an echo
	scrape := httptest.NewRecorder()
	r.metrics.Handler().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if strings.Contains(scrape.Body.String(), sample) {
		t.Error("an echo of the client's own id was reported")
	}
	c.get("/login").expectStatus(t, http.StatusOK)
	r.expectMetric(sample, 1)
}
