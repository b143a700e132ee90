package upstream

import (
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plain is cleartext HTTP/1.1.
var plain = &Transport{}

// idle returns a new connection that is idle in e, and its other end.
func idle(t *testing.T, e *Endpoint, shard uint32, since time.Time) (*Conn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	conn := &Conn{Conn: http1.NewConn(near), transport: plain}
	e.PutIdle(conn, shard, since)
	return conn, far
}

func isClosed(far net.Conn) bool {
	far.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := far.Read(make([]byte, 1))
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

func TestReplace_keepsState(t *testing.T) {
	p := poolOf("a b")
	a := p.Set().Endpoint(0)
	a.BeginRequest()
	a.SessionServed(model.Mix(1))
	conn, _ := idle(t, a, 0, time.Now())
	for _, words := range []string{"b a c", "(a) c", "a (c)"} {
		if !p.Replace(endpoints(words)) {
			t.Fatalf("%q: change not reported", words)
		}
		at, ok := p.Set().Lookup(model.IdentityPod, model.KeyOf("uid-a"))
		if !ok {
			t.Fatalf("%q: endpoint a missing", words)
		}
		if p.Set().ActiveRequests(at) != 1 || p.Set().Sessions(at) != 1 {
			t.Errorf("%q: a has %d requests and %d sessions", words, p.Set().ActiveRequests(at), p.Set().Sessions(at))
		}
		if got := p.Set().Endpoint(at).TakeIdle(0, plain, false); got != conn {
			t.Fatalf("%q: idle connection missing", words)
		}
		p.Set().Endpoint(at).PutIdle(conn, 0, time.Now())
	}
	a.EndRequest() // by a request that uses an earlier set
	if at, _ := p.Set().Lookup(model.IdentityPod, model.KeyOf("uid-a")); p.Set().ActiveRequests(at) != 0 {
		t.Error("a request that ended is still counted")
	}
}

func TestReplace_reportsChange(t *testing.T) {
	p := poolOf("a b")
	for _, c := range []struct {
		words string
		want  bool
	}{
		{"a b", false}, {"b a", false}, {"a (b)", true}, {"(b) a", false}, {"a", true}, {"", true}, {"", false},
	} {
		before := p.Set()
		if got := p.Replace(endpoints(c.words)); got != c.want || (p.Set() != before) != c.want {
			t.Errorf("%q: reports %v, want %v", c.words, got, c.want)
		}
	}
}

func TestReplace_closesConnections(t *testing.T) {
	p := poolOf("a b")
	a := p.Set().Endpoint(0)
	_, early := idle(t, a, 0, time.Now())
	p.Replace(endpoints("b"))
	_, late := idle(t, a, 3, time.Now()) // its exchange ends after the removal
	for name, far := range map[string]net.Conn{"early": early, "late": late} {
		if !isClosed(far) {
			t.Errorf("the %s connection still open", name)
		}
	}
	p.Replace(endpoints("a b"))
	if again := p.Set().Endpoint(0); again.TakeIdle(0, plain, false) != nil || again.Sessions() != 0 {
		t.Error("rejoined endpoint kept old state")
	}
}

// When a pod whose address is listed twice is removed, all its connections are closed.
func TestReplace_duplicateEndpoint(t *testing.T) {
	p := poolOf("")
	twice := append(endpoints("a"), endpoints("a")...)
	twice[1].Zone = "other"
	p.Replace(twice)
	_, far := idle(t, p.Set().Endpoint(0), 0, time.Now())
	_, farToo := idle(t, p.Set().Endpoint(1), 1, time.Now())
	p.Replace(nil)
	if !isClosed(far) || !isClosed(farToo) {
		t.Error("a connection still open")
	}
}

func TestTakeIdle_order(t *testing.T) {
	e := poolOf("a").Set().Endpoint(0)
	other, _ := idle(t, e, 5, time.Now())
	old, _ := idle(t, e, 2, time.Now())
	fresh, _ := idle(t, e, 2+idleShards, time.Now())
	got := []*Conn{e.TakeIdle(2, plain, false), e.TakeIdle(2, plain, false), e.TakeIdle(2, plain, false), e.TakeIdle(2, plain, false)}
	if !slices.Equal(got, []*Conn{fresh, old, other, nil}) {
		t.Errorf("got %v", got)
	}
	if !fresh.Reused {
		t.Error("Reused is false after PutIdle")
	}
}

func TestPutIdle_maximum(t *testing.T) {
	e := poolOf("a").Set().Endpoint(0)
	for range idleShards * maxIdlePerShard { // one caller fills the lists of all shards
		idle(t, e, 3, time.Now())
	}
	if _, far := idle(t, e, 3, time.Now()); !isClosed(far) {
		t.Error("kept more than the maximum")
	}
	n := 0
	for e.TakeIdle(0, plain, false) != nil {
		n++
	}
	if n != idleShards*maxIdlePerShard {
		t.Errorf("kept %d, want %d", n, idleShards*maxIdlePerShard)
	}
}

func TestTakeIdle_skipsStale(t *testing.T) {
	e := poolOf("a").Set().Endpoint(0)
	fit, _ := idle(t, e, 0, time.Now())
	unfit, far := idle(t, e, 0, time.Now())
	far.Write([]byte("?"))
	for deadline := time.Now().Add(20 * time.Second); !unfit.Stale() && time.Now().Before(deadline); {
	}
	if got := e.TakeIdle(0, plain, false); got != fit {
		t.Errorf("got %v, want the connection that is not stale", got)
	}
	if !isClosed(far) {
		t.Error("the stale connection still open")
	}
}

func TestCloseIdle(t *testing.T) {
	e := poolOf("a").Set().Endpoint(0)
	now := time.Now()
	_, old := idle(t, e, 0, now.Add(-time.Minute))
	fresh, _ := idle(t, e, 0, now)
	_, oldToo := idle(t, e, 0, now.Add(-time.Hour))
	e.closeIdle(now.Add(-idleTimeout))
	if !isClosed(old) || !isClosed(oldToo) {
		t.Error("an old connection still open")
	}
	if got := e.TakeIdle(0, plain, false); got != fresh {
		t.Errorf("got %v, want the remaining connection", got)
	}
}
