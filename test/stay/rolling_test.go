package stay

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/test/wait"
)

// TestRollingUpdate_no5xx replaces every pod of a Service, under load by clients of every kind and through two
// replicas. A pod stops immediately and without a preStop hook when its EndpointSlice shows it as terminating, so that
// Limpet may learn of it later than the pod does.
func TestRollingUpdate_no5xx(t *testing.T) {
	rolled := []backend{byCookie, byHeader, byWrapped, byNamed}
	f := newFixture(t, 8, nil)
	old, fresh := f.pods[:4], f.pods[4:]
	f.setPods(t, ready(old...), rolled...)
	other := f.start(t)
	other.awaitEndpoints(t, ready(old...), rolled...)
	var all []*session
	for i, w := range rolled {
		sessions := newSessions(t, w, i*clients, clients)
		settle(t, f.limpet, sessions)
		all = append(all, sessions...)
	}
	load := startLoad(t, []*limpet{f.limpet, other}, all)
	for i := range old {
		pods := ready(append(append([]*pod{}, old[i:]...), fresh[:i+1]...)...)
		f.setPods(t, pods, rolled...)
		load.awaitRound(t)
		pods[0].terminating = true
		for _, w := range rolled {
			f.apply(t, w.slice(pods))
		}
		old[i].stop()
		load.awaitRound(t)
		f.setPods(t, pods[1:], rolled...)
		other.awaitEndpoints(t, pods[1:], rolled...)
		load.awaitRound(t)
	}
	load.end(t)
	f.expectAgreement(t, other, all)
}

// expectAgreement sends each session to one replica, and then to the other: it is on the same pod, and stays.
func (o *fixture) expectAgreement(t *testing.T, other *limpet, sessions []*session) {
	t.Helper()
	each(t, sessions, func(s *session) error {
		a, err := s.mustGet(o.limpet, "/")
		if err != nil {
			return err
		}
		s.pod = a.pod
		return s.stays(other, "/", 2)
	})
}

// load sends the requests of all sessions, round after round.
type load struct {
	rounds  atomic.Int64
	stop    atomic.Bool
	ended   sync.WaitGroup
	mu      sync.Mutex
	failure error // the first
	count   atomic.Int64
}

func startLoad(t *testing.T, replicas []*limpet, sessions []*session) *load {
	t.Helper()
	l := &load{}
	const senders = 4
	for k := range senders {
		l.ended.Go(func() {
			for !l.stop.Load() {
				for i := k; i < len(sessions); i += senders {
					l.ask(sessions[i], replicas[i%len(replicas)])
				}
				l.rounds.Add(1)
			}
		})
	}
	t.Cleanup(func() { l.stop.Store(true); l.ended.Wait() })
	return l
}

func (l *load) ask(s *session, replica *limpet) {
	l.count.Add(1)
	if _, err := s.mustGet(replica, "/"); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.failure == nil {
			l.failure = fmt.Errorf("request %d: %w", l.count.Load(), err)
		}
	}
}

// awaitRound waits until every session has sent at least one more request.
func (l *load) awaitRound(t *testing.T) {
	t.Helper()
	from := l.rounds.Load()
	wait.Until(t, "all sessions have sent a request", func() bool { return l.rounds.Load() >= from+8 })
}

func (l *load) end(t *testing.T) {
	t.Helper()
	l.stop.Store(true)
	l.ended.Wait()
	t.Logf("%d requests", l.count.Load())
	if l.failure != nil {
		t.Error(l.failure)
	}
}
