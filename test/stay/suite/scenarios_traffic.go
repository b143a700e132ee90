package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// releaseCanary shifts new sessions to the pods of a canary, and back. A backend with weight 0 need not keep its sessions.
func releaseCanary(r *run) {
	fresh := len(r.sessions) / 2
	var pods []podState
	for i, weight := range []int{0, 10, 50, 100, 0} {
		if i == 0 {
			pods = states(r.newPods(4))
		}
		r.release(pods, weight)
		r.round(1)
		late := r.newSessions(fresh)
		r.round(2)
		if weight == 100 {
			r.do(func() error { return expectOn(pods, late, r.cart()) })
		}
	}
}

// expectOn returns an error if a session is not on one of the pods.
func expectOn(pods []podState, sessions []*session, of *route) error {
	for _, s := range sessions {
		b := s.bindings[of.Name]
		if b != nil && !slices.ContainsFunc(pods, func(p podState) bool { return p.pod == b.pod }) {
			return fmt.Errorf("session %d began on %s, which is not of the canary", s.number, b.pod.name)
		}
	}
	return nil
}

// release gives the canary a weight, under traffic.
func (r *run) release(pods []podState, weight int) {
	for _, p := range pods {
		if weight == 0 {
			p.depart()
		}
	}
	for _, p := range r.cart().Pods {
		if weight == 100 {
			p.depart()
		}
	}
	r.underLoad(first(), func(l *load) {
		r.configure(func(s *state) { s.Routes[0].Canary = &canary{pods, weight} })
		l.awaitTurn()
	})
	for _, p := range pods {
		p.serving.Store(weight > 0)
	}
	for _, p := range r.cart().Pods {
		p.serving.Store(weight < 100)
	}
}

// hotKey makes one session send as many requests as all others, with several in flight.
func hotKey(r *run) {
	r.round(2)
	if r.err != nil || r.sessions[0].bindings[r.cart().Name] == nil {
		return
	}
	var tabs []*session
	for range workers {
		tabs = append(tabs, r.sessions[0].clone())
	}
	const rounds = 4
	var group sync.WaitGroup
	group.Go(func() { r.requests(r.sessions[1:], rounds, 0, r.cart()) })
	for _, tab := range tabs {
		group.Go(func() {
			for range rounds * len(r.sessions) / workers {
				tab.request(0, r.cart())
			}
		})
	}
	group.Wait()
	r.round(2)
}

// clone returns a session with the same cookies and bindings, for another goroutine.
func (s *session) clone() *session {
	c := &session{run: s.run, number: s.number, cookies: maps.Clone(s.cookies), app: maps.Clone(s.app), bindings: map[string]*binding{}}
	for name, b := range s.bindings {
		copied := *b
		c.bindings[name] = &copied
	}
	return c
}

// returnLate makes sessions send their next request after changes that they did not see. Others do see them.
func returnLate(r *run) {
	r.round(2)
	late := r.sessions
	awake := r.newSessions(len(late) / 2)
	round := func() { r.requests(awake, 1, 0, r.cart()) }
	round()
	r.setPods(append(r.cart().Pods, states(r.newPods(2))...))
	round()
	r.configure(func(s *state) { s.Others = 20; s.Timeout++ })
	round()
	r.do(func() error { return r.subject.restart(0, r.state.clone()) })
	round()
	r.requests(late, 3, 0, r.cart())
}

// keeper is a subject with a key-value store of sessions.
type keeper interface {
	// awaitStored returns when the store has all bindings that were learned.
	awaitStored() error
	// loseStore ends the store with all that it has.
	loseStore() error
	// returnStore starts an empty store at the same address.
	returnStore() error
}

// loseStore uses two replicas while their store is lost. Sessions that both have seen must stay on their pods. New ones are known
// to the replica that bound them.
func loseStore(r *run) {
	store, found := r.subject.(keeper)
	if !found {
		r.do(func() error { return errors.ErrUnsupported })
		return
	}
	r.startReplica(false)
	r.round(2)
	r.do(store.awaitStored)
	r.requests(r.sessions, 2, 1, r.cart())
	r.do(store.loseStore)
	known := r.sessions
	r.newSessions(len(known) / 2)
	r.round(2)
	r.requests(known, 2, 1, r.cart())
	r.do(store.returnStore)
	r.round(2)
	r.requests(known, 2, 1, r.cart())
}
