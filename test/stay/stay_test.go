package stay

import (
	"fmt"
	"slices"
	"testing"
)

// clients is the number of new clients at a time; in a cluster, where the same is seen once more, fewer.
const clients, clientsOfCluster = 300, 100

// requests are sent by each client of the first two pods, one after the other.
const requests = 20

func TestCluster_sessionsStay(t *testing.T) { testSessionsStay(t, newCluster(t), clientsOfCluster) }

func TestFiles_sessionsStay(t *testing.T) { testSessionsStay(t, newFolder(t), clients) }

// testSessionsStay is the life of a Service: two pods, then six, then one of them terminates while it still serves, and
// then it is gone.
func testSessionsStay(t *testing.T, from source, clients int) {
	s := begin(t, from)
	s.clients = clients
	t.Run("each client stays on one pod, and all pods are used", s.staysOnOnePod)
	t.Run("scaling up moves no token, and hashed clients only to new pods", s.scaleUp)
	t.Run("a terminating pod keeps its sessions and gets no new ones", s.terminate)
	t.Run("when one is gone exactly its sessions move, once", s.remove)
	t.Run("when all terminate none moves, and new clients are served", s.terminateAll)
}

// scenario is a source, a Limpet that follows it, and the clients so far.
type scenario struct {
	source   source
	limpet   *limpet
	pods     []*pod
	sessions map[backend][]*session
	clients  int // that come at a time
	next     int // number of the next client
}

func begin(t *testing.T, from source) *scenario {
	t.Helper()
	s := &scenario{source: from, pods: startPods(t, 6), sessions: map[backend][]*session{}}
	for _, object := range baseObjects() {
		from.apply(t, object)
	}
	s.limpet = from.start(t)
	s.setPods(t, ready(s.pods[:2]...))
	return s
}

// setPods changes the endpoints of every Service, and waits until Limpet has applied the change.
func (s *scenario) setPods(t *testing.T, pods []podState) {
	t.Helper()
	for _, w := range backends {
		s.source.apply(t, w.slice(pods))
	}
	s.limpet.awaitEndpoints(t, pods, backends...)
}

// newClients creates clients and binds each to a pod by a first request.
func (s *scenario) newClients(t *testing.T, w backend) []*session {
	t.Helper()
	fresh := newSessions(t, w, s.next, s.clients)
	s.next += s.clients
	settle(t, s.limpet, fresh)
	s.sessions[w] = append(s.sessions[w], fresh...)
	return fresh
}

func (s *scenario) staysOnOnePod(t *testing.T) {
	for _, w := range backends {
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
	for _, w := range backends {
		if !w.hashes() {
			expectNoneMoves(t, s.limpet, s.sessions[w], 2)
			continue
		}
		each(t, s.sessions[w], func(client *session) error {
			was := client.pod
			if err := client.settle(s.limpet, "/"); err != nil {
				return err
			}
			if client.pod != was && slices.Contains(old, client.pod) {
				return fmt.Errorf("%s: moved from %s to %s, which is no new pod", client, was, client.pod)
			}
			return nil
		})
		expectNoneMoves(t, s.limpet, s.sessions[w], 2)
	}
}

func (s *scenario) terminate(t *testing.T) {
	pods := ready(s.pods...)
	pods[0].terminating = true
	s.setPods(t, pods)
	for _, w := range backends {
		s.keepsAndGetsNoNew(t, w, s.pods[0].name)
	}
}

// keepsAndGetsNoNew checks that a draining pod keeps its sessions and gets no new ones.
func (s *scenario) keepsAndGetsNoNew(t *testing.T, w backend, draining string) {
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
	for _, w := range backends {
		moving, staying := on(gone, s.sessions[w])
		each(t, moving, func(client *session) error { return client.movesOnce(s.limpet) })
		expectNoneMoves(t, s.limpet, staying, 2)
	}
}

// terminateAll lets one pod terminate before the rest, so that some hashed clients are not where they would otherwise be.
func (s *scenario) terminateAll(t *testing.T) {
	pods := ready(s.pods[1:]...)
	pods[0].terminating = true
	s.setPods(t, pods)
	for _, w := range backends {
		s.newClients(t, w)
	}
	for i := range pods {
		pods[i].terminating = true
	}
	s.setPods(t, pods)
	for _, w := range backends {
		expectNoneMoves(t, s.limpet, s.sessions[w], 1)
		expectNoneMoves(t, s.limpet, s.newClients(t, w), 1)
	}
}
