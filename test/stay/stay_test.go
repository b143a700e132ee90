package stay

import (
	"slices"
	"testing"
)

const (
	clients  = 100
	requests = 20
)

func TestSessionsStayInACluster(t *testing.T) { testSessionsStay(t, newCluster(t)) }

func TestSessionsStayWhenFilesAreEdited(t *testing.T) { testSessionsStay(t, newFolder(t)) }

// testSessionsStay is the life of a Service: two pods, then six, then one of them terminates while it still serves, and
// then it is gone.
func testSessionsStay(t *testing.T, from source) {
	s := begin(t, from)
	t.Run("each client stays on one pod, and all pods are used", s.staysOnOnePod)
	t.Run("scaling up moves no token, and hashed clients only to new pods", s.scaleUp)
	t.Run("a terminating pod keeps its sessions and gets no new ones", s.terminate)
	t.Run("when it is gone exactly its sessions move, once", s.remove)
}

// scenario is a source, a Limpet that follows it, and the clients so far.
type scenario struct {
	source   source
	limpet   *limpet
	pods     []*pod
	sessions map[way][]*session
	next     int // number of the next client
}

func begin(t *testing.T, from source) *scenario {
	t.Helper()
	s := &scenario{source: from, pods: startPods(t, 6), sessions: map[way][]*session{}}
	for _, object := range shop() {
		from.apply(t, object)
	}
	s.limpet = from.start(t)
	s.setPods(t, ready(s.pods[:2]...))
	return s
}

// setPods changes the endpoints of every Service, and waits until Limpet has heard of it.
func (s *scenario) setPods(t *testing.T, pods []podState) {
	t.Helper()
	for _, w := range ways {
		s.source.apply(t, w.slice(pods))
	}
	s.limpet.awaitEndpoints(t, pods)
}

// newClients settles clients that nobody has seen before.
func (s *scenario) newClients(t *testing.T, w way) []*session {
	t.Helper()
	fresh := newSessions(t, w, s.next, clients)
	s.next += clients
	settle(t, s.limpet, fresh)
	s.sessions[w] = append(s.sessions[w], fresh...)
	return fresh
}

func (s *scenario) staysOnOnePod(t *testing.T) {
	for _, w := range ways {
		fresh := s.newClients(t, w)
		expectNoneMoves(t, s.limpet, fresh, requests-1)
		if used := podsOf(fresh); len(used) != 2 {
			t.Errorf("by %s: the sessions of the pods are %v, but both should have some", w, used)
		}
	}
}

func (s *scenario) scaleUp(t *testing.T) {
	old := []string{s.pods[0].name, s.pods[1].name}
	s.setPods(t, ready(s.pods...))
	expectNoneMoves(t, s.limpet, s.sessions[byCookie], 2)
	for _, w := range []way{byHeader, byIP} {
		for _, client := range s.sessions[w] {
			pod, _ := client.ask(t, s.limpet)
			if pod != client.pod && slices.Contains(old, pod) {
				t.Errorf("%s: moved from %s to %s, which is no new pod", client, client.pod, pod)
			}
			client.pod = pod
		}
		expectNoneMoves(t, s.limpet, s.sessions[w], 2)
	}
}

func (s *scenario) terminate(t *testing.T) {
	pods := ready(s.pods...)
	pods[0].terminating = true
	s.setPods(t, pods)
	for _, w := range ways {
		s.keepsAndGetsNoNew(t, w, s.pods[0].name)
	}
}

// keepsAndGetsNoNew is what a draining pod does.
func (s *scenario) keepsAndGetsNoNew(t *testing.T, w way, draining string) {
	t.Helper()
	if podsOf(s.sessions[w])[draining] == 0 {
		t.Fatalf("by %s: %s has no sessions to keep", w, draining)
	}
	expectNoneMoves(t, s.limpet, s.sessions[w], 2)
	if got := podsOf(s.newClients(t, w))[draining]; got != 0 {
		t.Errorf("by %s: %s drains and got %d new sessions", w, draining, got)
	}
}

func (s *scenario) remove(t *testing.T) {
	gone := s.pods[0].name
	s.setPods(t, ready(s.pods[1:]...))
	for _, w := range ways {
		for _, client := range s.sessions[w] {
			if client.pod != gone {
				expectNoneMoves(t, s.limpet, []*session{client}, 2)
				continue
			}
			pod, cookies := client.ask(t, s.limpet)
			if pod == gone || cookies != client.cookiesOfABinding() {
				t.Errorf("%s: its pod is gone; answered by %s with %d cookies", client, pod, cookies)
			}
			client.pod = pod
			expectNoneMoves(t, s.limpet, []*session{client}, 5)
		}
	}
}
