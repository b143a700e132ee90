package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

// canary adds a canary and changes its weight under traffic. Its sessions and the others keep their pods, and new ones come
// with each weight.
func canary(r *run) {
	r.round(2)
	pods := states(r.newPods(2))
	for _, weight := range []int{0, 10, 50, 100, 50, 0} {
		r.underLoad(first(), func(l *load) {
			r.configure(func(s *state) { s.Routes[0].Canary, s.Routes[0].Weight = pods, weight })
			l.awaitTurn()
		})
		r.newSessions(len(r.sessions) / 6)
		r.round(1)
	}
	r.round(2)
}

// hot lets one browser send requests over many connections at the same time, while other sessions begin and pods are added.
func hot(r *run) {
	r.round(1)
	var stop atomic.Bool
	done := make(chan struct{})
	tabs := make([]*session, workers)
	for i := range tabs {
		tabs[i] = r.sessions[0].clone()
	}
	go func() {
		defer close(done)
		for !stop.Load() {
			r.each(tabs, func(s *session) { s.request(0, r.cart()) })
		}
	}()
	fresh := r.newSessions(len(r.sessions))
	r.requests(fresh, 3, 0, r.cart())
	stop.Store(true)
	<-done
	r.round(2)
}

// idleWait is longer than the idle timeout of the scenario. HAProxy counts in units of four seconds.
const idleWait = 6 * time.Second

// replay sends tokens after their idle timeout. Such a session begins again, with another token.
func replay(r *run) {
	r.round(1)
	end := time.Now().Add(idleWait)
	r.do(func() error {
		return await("the idle timeout", nil, func() bool { return time.Now().After(end) })
	})
	r.each(r.sessions, func(s *session) {
		before := s.values()
		s.bindings = map[string]*binding{}
		s.request(0, r.cart())
		if s.values() == before {
			r.count(func(c *counts) { c.replayed++ })
		}
	})
}

// adopt begins the sessions at the model of ingress-nginx, which the subject then replaces.
func adopt(r *run) {
	before := &model{balanced: r.state.Adopts == "balanced"}
	defer before.stop()
	r.do(func() error { return before.start(r.state.clone(), false) })
	if r.err != nil {
		return
	}
	r.each(r.sessions, func(s *session) {
		s.requestAt(before.address(0), r.cart())
		s.requestAt(before.address(0), r.cart())
		if b := s.bindings[r.cart().Name]; b != nil {
			b.renewable = true // the subject may set a token of its own
		}
	})
	r.round(3)
	pods := r.cart().clone().Pods
	pods[0].Condition = terminating
	r.leave(pods, 1)
}

// loseStore uses learned sessions at two replicas. Then what they share is lost, and the first replica serves alone, also new
// sessions. When it is back, the other one serves all of them.
func loseStore(r *run) {
	r.startReplica(false)
	r.round(2)
	p := r.subject.(*programs)
	r.awaitShared(p)
	r.requests(r.sessions, 2, 1, r.cart())
	r.do(func() error {
		return p.driver.(sharer).loseStore(p, func() {
			r.round(1)
			r.newSessions(len(r.sessions) / 3)
			r.round(2)
		})
	})
	r.underLoad(first(), func(*load) { r.awaitShared(p) })
	r.requests(r.sessions, 2, 1, r.cart())
}

func (r *run) awaitShared(p *programs) {
	r.do(func() error {
		shared := 0
		err := await("all sessions in the store", nil, func() bool {
			shared = p.driver.(sharer).shared(p)
			return shared >= len(r.sessions)
		})
		if err != nil {
			return fmt.Errorf("%w: %d of %d", err, shared, len(r.sessions))
		}
		return nil
	})
}
