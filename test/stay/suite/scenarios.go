package main

import "sync/atomic"

// scenario is one kind of change. Sessions are clients that have a pod when it begins.
type scenario struct {
	name  string
	title string
	pods  int // at the start
	play  func(*run)
}

// The scenarios that other code refers to.
const (
	steadyState    = "steady"
	rollingAbrupt  = "rolling-abrupt"
	podKilled      = "killed"
	unrelatedChurn = "unrelated"
	relatedEdit    = "related"
	proxyRestart   = "restart"
	proxyUpgrade   = "upgrade"
	keyRotation    = "keys"
	webSockets     = "websockets"
	canaryRelease  = "canary"
	lateReturn     = "idle"
	storeLost      = "store-lost"
	tampered       = "tampered"
	foreign        = "foreign"
	burst          = "parallel"
)

// The keys of tokens.
const (
	keyA = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	keyB = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
)

func scenarios() []scenario {
	return []scenario{
		{steadyState, "Nothing changes", 4, func(r *run) { r.round(5) }},
		{"scale-1-2", "Scale from 1 pod to 2", 1, func(r *run) { scaleUp(r, 1) }},
		{"scale-3-6", "Scale from 3 pods to 6", 3, func(r *run) { scaleUp(r, 3) }},
		{"scale-6-3", "Scale from 6 pods to 3, with a grace period", 6, scaleDown},
		{"replace", "Replace one of 5 pods", 5, func(r *run) { roll(r, 1, true) }},
		{"rolling-grace", "Rolling update: pods serve on while they terminate", 4, func(r *run) { roll(r, 4, true) }},
		{rollingAbrupt, "Rolling update: pods exit immediately", 4, func(r *run) { roll(r, 4, false) }},
		{podKilled, "A pod is killed, and its endpoint leaves later", 5, kill},
		{"flapping", "A pod is ready and not, 5 times, without traffic between", 5, func(r *run) { flap(r, false) }},
		{"not-ready", "A pod is not ready for a while, under traffic", 5, func(r *run) { flap(r, true) }},
		{"order", "Endpoints are listed in another order", 5, reorder},
		{unrelatedChurn, "Routes of other hosts come, change and go", 4, churn},
		{relatedEdit, "A timeout of the route itself changes", 4, edit},
		{proxyRestart, "The proxy restarts", 4, restart},
		{proxyUpgrade, "Two replicas are upgraded one after the other", 4, upgrade},
		{"replica", "Another replica, which learned of pods in another order", 6, otherReplica},
		{"two-backends", "Two backends on one host", 4, twoBackends},
		{"two-ports", "Two Services over the same pods", 4, samePods},
		{tampered, "Tokens with one character changed", 5, tamper},
		{foreign, "Tokens of another backend", 5, presentForeign},
		{burst, "6 parallel first requests of one browser", 5, parallel},
		{keyRotation, "The keys of tokens are rotated", 4, rotate},
		{webSockets, "1,000 WebSockets through changes of configuration and of pods", 4, sockets},
		{"ip-reused", "A new pod has the address of one that is gone", 5, reuse},
		{canaryRelease, "A canary gets 0, 10, 50 and 100 % of new sessions, and 0 again", 4, releaseCanary},
		{"hot-key", "One client sends half of all requests", 4, hotKey},
		{lateReturn, "Sessions return after scaling, edits and a restart", 4, returnLate},
		{storeLost, "The key-value store is lost, and comes back empty", 4, loseStore},
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
			r.setCondition(0, c)
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
