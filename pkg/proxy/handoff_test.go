package proxy

import (
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// A session does not leave a draining pod during a WebSocket, which may be silent for long.
func TestHandoff_webSocket(t *testing.T) {
	r := newRig(t)
	p, other := startSocket(t, ""), startPod(t, "pod-b", func(*podConn) {})
	a := cookieAffinity()
	a.Handoff = &model.Handoff{AfterIdle: time.Second, Header: "X-Session-Handoff"}
	r.serve(a, p)
	client := r.dial()
	client.send(handshake)
	_, cookie, _ := strings.Cut(strings.Join(client.head(), "\n"), "Set-Cookie: limpet-cart=")
	var token affinity.Token
	if len(cookie) < affinity.TokenLen || !r.keys.Load().Open(&affinity.ConnState{}, []byte(cookie[:affinity.TokenLen]), &token) {
		t.Fatalf("no token in %q", cookie)
	}
	r.replace(cart, p.endpoint(model.EndpointDraining), other.endpoint(model.EndpointReady))
	set := r.pools.Pool(cart).Set()
	isIdle := func() bool {
		_, moves := set.HandOff(&model.SessionMove{
			From: 1, To: 0, Session: token.Session, Start: true, AfterIdle: 1, Now: time.Now().Add(time.Hour).Unix(), DryRun: true,
		})
		return moves
	}
	eventually(t, "the stream to be counted", func() bool { return set.ActiveRequests(1) == 1 })
	client.send("a")
	client.expect("a")
	if isIdle() {
		t.Error("the session is idle during its WebSocket")
	}
	client.Close()
	eventually(t, "the session to be idle", isIdle)
}
