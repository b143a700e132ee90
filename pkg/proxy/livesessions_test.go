package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sessions"
)

// live returns the live sessions of cart, and how many started in the last minute.
func (r *rig) live() (count int64, started float64) {
	for _, p := range sessions.Live(r.pools.Pool(cart), time.Now()) {
		count, started = count+p.Sessions, started+p.NewPerMinute
	}
	return count, started
}

// Each client sends three requests on different connections, and counts once.
func TestLiveSessions_eachBinding(t *testing.T) {
	hashed := func(i int) string { return fmt.Sprintf("Mcp-Session-Id: user-%d", i) }
	for name, c := range map[string]struct {
		method model.Method
		client func(int) string // the header line of a client that needs no response; nil for the others
	}{
		"issued":  {method: cookieAffinity().Methods[0]},
		"hashed":  {ownMethod(model.SourceHeader, model.BindingHashed), hashed},
		"learned": {method: ownMethod(model.SourceHeader, model.BindingLearned)},
		"wrapped": {method: ownMethod(model.SourceHeader, model.BindingWrapped)},
	} {
		t.Run(name, func(t *testing.T) {
			const clients = 12
			r, _, _ := learnedRig(t)
			var pods []*pod
			for _, name := range []string{"a", "b"} {
				pods = append(pods, startUserIssuer(t, name))
			}
			r.serve(affinityBy(c.method), pods...)
			for i := range clients {
				line := ""
				if c.client != nil {
					line = c.client(i)
				} else {
					first := r.dial().get(fmt.Sprintf("/login?user=%d", i))
					if line = "Mcp-Session-Id: " + first.header.Get("Mcp-Session-Id"); name == "issued" {
						line = first.cookie(t)
					}
				}
				r.dial().get("/", line)
				r.dial().get("/", line)
			}
			if count, started := r.live(); count != clients || started != clients {
				t.Errorf("%d sessions, %g of them new; want %d and %d", count, started, clients, clients)
			}
		})
	}
}

// startUserIssuer runs a pod whose responses to /login set an id for each user.
func startUserIssuer(t testing.TB, name string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			set := ""
			if _, rest, found := strings.Cut(head, " /login?user="); found {
				user, _, _ := strings.Cut(rest, " ")
				set = "Mcp-Session-Id: own-" + user + "\r\n"
			}
			if !c.say("HTTP/1.1 200 OK\r\nX-Pod: " + name + "\r\n" + set + "Content-Length: 0\r\n\r\n") {
				return
			}
		}
	})
}

// A session that moves for rebalancing counts at its new pod only.
func TestLiveSessions_movedSession(t *testing.T) {
	r := newRig(t)
	a := cookieAffinity()
	a.Pick = model.PickLeastSessions
	a.Rebalance = model.Rebalance{AfterIdle: time.Second, MaxPerMinute: 100}
	one, two := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(a, one)
	var cookies []string
	for range 10 {
		cookies = append(cookies, r.dial().get("/").cookie(t))
	}
	r.serve(a, one, two)
	moved := func() bool {
		for _, cookie := range cookies {
			r.dial().get("/", cookie)
		}
		pods := sessions.Live(r.pools.Pool(cart), time.Now())
		return pods[1].Sessions > 0
	}
	eventually(t, "a session to move", moved)
	if count, _ := r.live(); count != 10 {
		t.Errorf("%d sessions, want 10", count)
	}
}

func TestLiveSessions_streams(t *testing.T) {
	r := newRig(t, lasting)
	end := make(chan struct{})
	r.serve(cookieAffinity(), startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst")
		<-end
	}))
	r.stream("/text/event-stream")
	streams := func(want int64) func() bool {
		return func() bool { return sessions.Live(r.pools.Pool(cart), time.Now())[0].Streams == want }
	}
	eventually(t, "the stream to count", streams(1))
	close(end)
	eventually(t, "the stream to end", streams(0))
}
