package main

import "sync/atomic"

// scenario is one kind of change. Sessions are clients that have a pod when it begins.
type scenario struct {
	name  string
	title string
	pods  int // at the start
	play  func(*run)
	setup func(*state) // completes the first state; may be nil
}

// The scenarios that other code refers to.
const (
	steadyState      = "steady"
	rollingAbrupt    = "rolling-abrupt"
	podKilled        = "killed"
	unrelatedChurn   = "unrelated"
	relatedEdit      = "related"
	proxyRestart     = "restart"
	proxyUpgrade     = "upgrade"
	keyRotation      = "keys"
	webSockets       = "websockets"
	tampered         = "tampered"
	foreign          = "foreign"
	burst            = "parallel"
	canarySplit      = "canary"
	idleReplay       = "idle"
	storeLost        = "store"
	reusedAddress    = "ip-reused"
	adoption         = "adopt"
	adoptionBalanced = "adopt-balanced"
)

// The keys of tokens.
const (
	keyA = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	keyB = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
)

func scenarios() []scenario {
	return []scenario{
		{name: steadyState, title: "Nothing changes", pods: 4, play: func(r *run) { r.round(5) }},
		{name: "scale-1-2", title: "Scale from 1 pod to 2", pods: 1, play: func(r *run) { scaleUp(r, 1) }},
		{name: "scale-3-6", title: "Scale from 3 pods to 6", pods: 3, play: func(r *run) { scaleUp(r, 3) }},
		{name: "scale-6-3", title: "Scale from 6 pods to 3, with a grace period", pods: 6, play: scaleDown},
		{name: "replace", title: "Replace one of 5 pods", pods: 5, play: func(r *run) { roll(r, 1, true) }},
		{name: "rolling-grace", title: "Rolling update: pods serve on while they terminate", pods: 4,
			play: func(r *run) { roll(r, 4, true) }},
		{name: rollingAbrupt, title: "Rolling update: pods exit immediately", pods: 4, play: func(r *run) { roll(r, 4, false) }},
		{name: podKilled, title: "A pod is killed, and its endpoint leaves later", pods: 5, play: kill},
		{name: "flapping", title: "A pod is ready and not, 5 times, without traffic between", pods: 5,
			play: func(r *run) { flap(r, false) }},
		{name: "not-ready", title: "A pod is not ready for a while, under traffic", pods: 5, play: func(r *run) { flap(r, true) }},
		{name: "order", title: "Endpoints are listed in another order", pods: 5, play: reorder},
		{name: unrelatedChurn, title: "Routes of other hosts come, change and go", pods: 4, play: churn},
		{name: relatedEdit, title: "A timeout of the route itself changes", pods: 4, play: edit},
		{name: proxyRestart, title: "The proxy restarts", pods: 4, play: restart},
		{name: proxyUpgrade, title: "Two replicas are upgraded one after the other", pods: 4, play: upgrade},
		{name: "replica", title: "Another replica, which learned of pods in another order", pods: 6, play: otherReplica},
		{name: "two-backends", title: "Two backends on one host", pods: 4, play: twoBackends},
		{name: "two-ports", title: "Two Services over the same pods", pods: 4, play: samePods},
		{name: tampered, title: "Tokens with one character changed", pods: 5, play: tamper},
		{name: foreign, title: "Tokens of another backend", pods: 5, play: presentForeign},
		{name: burst, title: "6 parallel first requests of one browser", pods: 5, play: parallel},
		{name: keyRotation, title: "The keys of tokens are rotated", pods: 4, play: rotate},
		{name: webSockets, title: "1,000 WebSockets through configuration changes and scaling", pods: 4, play: sockets},
		{name: reusedAddress, title: "A new pod has the address of one that is gone", pods: 5, play: reuse},
		{name: canarySplit, title: "A canary gets 10, 50 and 100 percent of new sessions, and none again", pods: 4, play: canary},
		{name: "hot", title: "One session sends most of the requests", pods: 4, play: hot},
		{name: idleReplay, title: "Tokens are sent after their idle timeout", pods: 5, play: replay,
			setup: func(s *state) { s.Idle = 1 }},
		{name: storeLost, title: "Sessions of the app, while the store that replicas share is lost and back", pods: 5, play: loseStore,
			setup: func(s *state) { s.App = true }},
		{name: adoption, title: "Sessions of ingress-nginx, persistent, continue at the proxy", pods: 5, play: adopt,
			setup: func(s *state) { s.Adopts = "persistent" }},
		{name: adoptionBalanced, title: "Sessions of ingress-nginx, balanced, continue at the proxy", pods: 5, play: adopt,
			setup: func(s *state) { s.Adopts = "balanced" }},
	}
}

// first is the load's replica where it does not change.
func first() *atomic.Int64 { return new(atomic.Int64) }

// scaleUp adds pods. Later sessions may use them, and earlier ones stay.
func scaleUp(r *run, n int) {
	r.round(2)
	r.underLoad(first(), func(l *load) {
		r.setPods(append(r.cart().Pods, states(r.newPods(n))...))
		l.awaitTurn()
	})
	r.newSessions(len(r.sessions) / 2)
	r.round(2)
}

// scaleDown terminates three pods. They serve until they are gone, and new sessions come meanwhile.
func scaleDown(r *run) {
	r.round(2)
	pods := r.cart().Pods
	for i := range 3 {
		pods[i].Condition = terminating
	}
	r.leave(pods, 3)
}

// leave applies that the first n pods terminate, and later that they are gone.
func (r *run) leave(pods []podState, n int) {
	r.underLoad(first(), func(l *load) {
		r.setPods(pods)
		l.awaitTurn()
	})
	r.round(1)
	r.newSessions(len(r.sessions) / 6)
	r.round(1)
	r.underLoad(first(), func(l *load) {
		r.setPods(pods[n:])
		for _, p := range pods[:n] {
			p.stop()
		}
		l.awaitTurn()
	})
	r.round(2)
}

// roll replaces n pods under traffic, one after the other. A new pod is ready before an old one terminates.
func roll(r *run, n int, grace bool) {
	r.round(2)
	for range n {
		r.underLoad(first(), func(l *load) {
			pods := append(r.cart().Pods, states(r.newPods(1))...)
			r.setPods(pods)
			l.awaitTurn()
			if !grace {
				pods[0].stop()
			}
			pods[0].Condition = terminating
			r.setPods(pods)
			l.awaitTurn()
			r.setPods(pods[1:])
			if grace {
				pods[0].stop()
			}
			l.awaitTurn()
		})
	}
	r.round(2)
}

// kill ends a pod with its connections, as when a node fails. The proxy learns of it later.
func kill(r *run) {
	r.round(2)
	r.underLoad(first(), func(l *load) {
		r.cart().Pods[0].kill()
		l.awaitTurn()
		r.setPods(r.cart().Pods[1:])
		l.awaitTurn()
	})
	r.round(2)
}

// flap makes a pod ready and not. With traffic, its sessions move once. Without, they need not.
func flap(r *run, traffic bool) {
	r.round(2)
	times := 5
	if traffic {
		times = 1
	}
	for range times {
		for _, c := range []condition{notReady, ready} {
			pods := r.cart().clone().Pods
			pods[0].Condition = c
			r.setPods(pods)
			if traffic {
				r.round(2)
			}
		}
	}
	r.round(2)
}

// reorder lists the pods in the opposite order. The revision shows when that is applied, because the set of pods is the same.
func reorder(r *run) {
	r.round(2)
	r.underLoad(first(), func(l *load) {
		r.state.Revision++
		r.setPods(r.state.reversed().Routes[0].Pods)
		l.awaitTurn()
	})
	r.round(2)
}

// reuse replaces a pod by one with its address, which is a stranger to its sessions.
func reuse(r *run) {
	r.round(2)
	pods := r.cart().Pods
	r.setPods(pods[1:])
	before := map[*session]string{}
	r.do(func() error {
		pods[0].stop()
		for _, s := range r.sessions {
			before[s] = s.values()
		}
		return nil
	})
	stranger := r.newPodAt(0)
	r.setPods(append(pods[1:len(pods):len(pods)], podState{stranger, ready}))
	r.round(1)
	for _, s := range r.sessions {
		if b := s.bindings[r.cart().Name]; b != nil && b.pod == stranger && s.values() == before[s] {
			r.counts.inherited++
		}
	}
	r.round(2)
}
