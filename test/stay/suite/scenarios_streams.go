package main

// socketCount is the number of WebSockets. Sessions have several.
const socketCount = 1000

// sockets keeps WebSockets open through changes, and uses each of them after each change.
func sockets(r *run) {
	r.round(1)
	open := r.openSockets()
	for _, change := range []func(){
		func() { r.configure(func(s *state) { s.Others = 20 }) },
		func() { r.configure(func(s *state) { s.Timeout++ }) },
		func() { r.configure(func(s *state) { s.Edition++ }) },
		func() { r.setPods(append(r.cart().Pods, states(r.newPods(2))...)) },
		func() { r.state.Revision++; r.setPods(r.state.reversed().Routes[0].Pods) },
		func() {
			if r.subject.cannot(canarySplit) == "" {
				r.configure(func(s *state) { s.Routes[0].Canary, s.Routes[0].Weight = states(r.newPods(1)), 20 })
			}
		},
		func() { r.addRoute(states(r.newPods(1))) },
		func() {
			pods := r.cart().clone().Pods
			pods[len(pods)-1].Condition = terminating
			r.setPods(pods)
		},
	} {
		change()
		open = r.useSockets(open)
	}
	for _, s := range open {
		s.conn.Close()
	}
	r.round(1)
}

// openSockets opens WebSockets for all sessions in turn.
func (r *run) openSockets() []*stream {
	var open []*stream
	for range (socketCount + len(r.sessions) - 1) / len(r.sessions) {
		wanted := r.sessions[:min(len(r.sessions), socketCount-len(open))]
		r.each(wanted, func(s *session) {
			opened, err := s.open(r.subject.address(0), r.cart())
			r.count(func(c *counts) {
				c.requests++
				if err != nil {
					c.failed++
					r.note("session %d: %v", s.number, err)
					return
				}
				open = append(open, opened)
			})
		})
	}
	return open
}

// useSockets counts the WebSockets that were closed, and returns the others.
func (r *run) useSockets(open []*stream) []*stream {
	if r.err != nil {
		return open
	}
	var alive []*stream
	for _, s := range open {
		if err := s.exchange(); err != nil {
			s.conn.Close()
			r.counts.streamsCut++
			r.note("a WebSocket on %s: %v", s.pod.name, err)
			continue
		}
		alive = append(alive, s)
	}
	return alive
}
