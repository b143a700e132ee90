package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// workers is the number of requests in flight.
const workers = 8

// run is one scenario for one subject. Its methods do nothing after an error, as those of bufio.Writer.
type run struct {
	subject  subject
	client   *http.Client
	state    *state
	sessions []*session
	replicas int
	verbose  io.Writer // nil prints nothing

	podMu  sync.RWMutex    // guards pods
	pods   map[string]*pod // by name
	podSeq int

	mu     sync.Mutex
	counts counts
	err    error
	notes  int
}

// newRun starts a subject in front of a route with the pods of the scenario, and the given number of sessions.
func newRun(s subject, c scenario, sessions int, verbose io.Writer) *run {
	r := &run{subject: s, client: newClient(), pods: map[string]*pod{}, verbose: verbose}
	r.counts.placed = map[string]int{}
	r.state = &state{Timeout: 60, Revision: 1, Others: 2, Keys: []string{keyA},
		Routes: []*route{{Name: "cart", host: "shop.example.com", path: "/"}}}
	if c.setup != nil {
		c.setup(r.state)
	}
	r.state.App = r.state.App || s.about().learns
	if s.about().busy {
		r.state.Filters, r.state.Crowd = true, 1000
	}
	r.state.Routes[0].Pods = states(r.newPods(c.pods))
	r.startReplica(false)
	r.newSessions(sessions)
	return r
}

func (r *run) close() {
	r.subject.stop()
	r.client.CloseIdleConnections()
	for _, p := range r.pods {
		p.kill()
	}
}

// do runs f unless an error happened.
func (r *run) do(f func() error) {
	if r.err == nil {
		r.err = f()
	}
}

func (r *run) startReplica(reversed bool) {
	r.do(func() error {
		r.replicas++
		return r.subject.start(r.state.clone(), reversed)
	})
}

func (r *run) count(f func(*counts)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.counts)
}

// note prints the first events, to explain a cell.
func (r *run) note(format string, values ...any) {
	if r.verbose != nil && r.notes < 20 {
		r.notes++
		fmt.Fprintf(r.verbose, "  "+format+"\n", values...)
	}
}

// cart is the first route.
func (r *run) cart() *route { return r.state.Routes[0] }

// newPods starts pods with names and addresses that no earlier pod had.
func (r *run) newPods(n int) []*pod {
	var all []*pod
	for range n {
		all = append(all, r.newPodAt(r.podSeq))
	}
	return all
}

// newPodAt starts a pod at the address with the given number.
func (r *run) newPodAt(address int) *pod {
	var p *pod
	r.do(func() (err error) {
		p, err = startPod(r.podSeq, address, r.subject.about().podsAt, r.state.App)
		r.podSeq++
		if err == nil {
			r.podMu.Lock()
			defer r.podMu.Unlock()
			r.pods[p.name] = p
		}
		return err
	})
	return p
}

func (r *run) podNamed(name string) *pod {
	r.podMu.RLock()
	defer r.podMu.RUnlock()
	return r.pods[name]
}

func (r *run) drainingPods() map[*pod]bool {
	r.podMu.RLock()
	defer r.podMu.RUnlock()
	var draining map[*pod]bool
	for _, p := range r.pods {
		if p.draining.Load() {
			if draining == nil {
				draining = map[*pod]bool{}
			}
			draining[p] = true
		}
	}
	return draining
}

func states(pods []*pod) []podState {
	all := make([]podState, len(pods))
	for i, p := range pods {
		all[i] = podState{p, ready}
	}
	return all
}

// setPods changes the pods of the first route. Pods that are missing or not ready stop serving sessions first.
func (r *run) setPods(pods []podState) {
	if r.err != nil {
		return
	}
	stay := map[*pod]condition{}
	for _, p := range pods {
		stay[p.pod] = p.Condition
	}
	for _, old := range r.cart().Pods {
		if c, found := stay[old.pod]; !found || c == notReady {
			old.depart()
		}
	}
	r.cart().Pods = slices.Clone(pods)
	r.applied()
	for _, p := range pods {
		p.draining.Store(p.Condition == terminating)
		if p.Condition == ready {
			p.serving.Store(true)
		}
	}
}

// configure changes anything but pods.
func (r *run) configure(change func(*state)) {
	if r.err == nil {
		change(r.state)
		r.state.Revision++
		r.applied()
	}
}

func (r *run) applied() {
	r.do(func() error {
		began := time.Now()
		err := r.subject.apply(r.state.clone())
		r.count(func(c *counts) { c.effect = max(c.effect, time.Since(began)) })
		return err
	})
}

// newSessions adds sessions, which have not sent a request.
func (r *run) newSessions(n int) []*session {
	fresh := make([]*session, n)
	for i := range fresh {
		fresh[i] = &session{run: r, number: len(r.sessions) + i, cookies: map[cookieKey]cookie{}, bindings: map[string]*binding{}}
	}
	r.sessions = append(r.sessions, fresh...)
	r.counts.sessions = len(r.sessions)
	return fresh
}

// requests makes each session send n requests to a replica.
func (r *run) requests(sessions []*session, n, replica int, of *route) {
	r.each(sessions, func(s *session) {
		for range n {
			s.request(replica, of)
		}
	})
}

// each calls f for all sessions, a few at a time.
func (r *run) each(sessions []*session, f func(*session)) {
	if r.err != nil {
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(sessions); i = next.Add(1) - 1 {
				f(sessions[i])
			}
		})
	}
	group.Wait()
}

// round makes all sessions send n requests to the first replica.
func (r *run) round(n int) { r.requests(r.sessions, n, 0, r.cart()) }

// load is sessions that send requests until they are stopped.
type load struct {
	run   *run
	stop  atomic.Bool
	done  sync.WaitGroup
	turns [workers]atomic.Int64
}

// underLoad makes the present sessions send requests, to the given replica, while change runs.
func (r *run) underLoad(replica *atomic.Int64, change func(l *load)) {
	if r.err != nil {
		return
	}
	l := &load{run: r}
	sessions := r.sessions
	cart := *r.cart()
	for k := range workers {
		l.done.Go(func() {
			for !l.stop.Load() {
				for i := k; i < len(sessions); i += workers {
					sessions[i].request(int(replica.Load()), &cart)
				}
				l.turns[k].Add(1)
			}
		})
	}
	change(l)
	l.stop.Store(true)
	l.done.Wait()
}

// awaitTurn waits until each session has sent a request that began after the call.
func (l *load) awaitTurn() {
	l.run.do(func() error {
		var from [workers]int64
		for k := range from {
			from[k] = l.turns[k].Load()
		}
		return await("a turn of all sessions", nil, func() bool {
			for k := range from {
				if l.turns[k].Load() < from[k]+2 {
					return false
				}
			}
			return true
		})
	})
}
