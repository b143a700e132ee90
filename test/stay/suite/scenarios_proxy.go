package main

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// churn adds, changes and removes routes of other hosts under traffic.
func churn(r *run) {
	r.round(2)
	r.underLoad(first(), func(l *load) {
		for _, others := range []int{20, 21, 22, 22, 10, 2} {
			r.configure(func(s *state) { s.Others = others; s.Edition++ })
			l.awaitTurn()
		}
	})
	r.round(2)
}

// edit changes a setting of the route that has nothing to do with sessions.
func edit(r *run) {
	r.round(2)
	r.underLoad(first(), func(l *load) {
		for range 3 {
			r.configure(func(s *state) { s.Timeout++ })
			l.awaitTurn()
		}
	})
	r.round(2)
}

// restart ends the only replica while no request is in flight, and starts it again.
func restart(r *run) {
	r.round(2)
	r.do(func() error { return r.subject.restart(0, r.state.clone()) })
	r.round(3)
}

// upgrade restarts each of two replicas, while the sessions use the other one.
func upgrade(r *run) {
	r.startReplica(false)
	r.round(2)
	var used atomic.Int64
	r.underLoad(&used, func(l *load) {
		for i := range 2 {
			used.Store(int64(1 - i))
			l.awaitTurn()
			r.do(func() error { return r.subject.restart(i, r.state.clone()) })
			l.awaitTurn()
		}
	})
	r.round(2)
}

// otherReplica sends the sessions of one replica to another and back.
func otherReplica(r *run) {
	r.startReplica(true)
	r.round(2)
	r.requests(r.sessions, 2, 1, r.cart())
	r.newSessions(len(r.sessions) / 2)
	r.requests(r.sessions, 2, 1, r.cart())
	r.round(2)
}

// addRoute adds a second backend to the host of the first one.
func (r *run) addRoute(pods []podState) *route {
	api := &route{Name: "api", host: r.cart().host, path: "/api", Pods: pods}
	r.configure(func(s *state) { s.Routes = append(s.Routes, api) })
	return api
}

// twoBackends makes each session use both backends in turn.
func twoBackends(r *run) { alternate(r, r.addRoute(states(r.newPods(4)))) }

// samePods is twoBackends with one set of pods.
func samePods(r *run) { alternate(r, r.addRoute(r.cart().clone().Pods)) }

func alternate(r *run, api *route) {
	r.each(r.sessions, func(s *session) {
		for range 4 {
			s.request(0, r.cart())
			s.request(0, api)
		}
	})
}

// tamper changes one character of each token. The proxy should place such a client as a new one.
func tamper(r *run) {
	r.round(2)
	r.forge(func(s *session) map[cookieKey]cookie {
		altered := map[cookieKey]cookie{}
		for key, c := range s.cookies {
			value := []byte(c.value)
			if at := s.number % max(1, len(value)-1); value[at] == 'a' {
				value[at] = 'b'
			} else {
				value[at] = 'a'
			}
			altered[key] = cookie{string(value), c.issuer}
		}
		return altered
	}, func(original *session, p *pod) bool { return original.bindings[r.cart().Name].pod != p })
}

// presentForeign presents the tokens of one backend under the cookie names of another one.
func presentForeign(r *run) {
	api := r.addRoute(states(r.newPods(5)))
	r.round(1)
	r.requests(r.sessions, 1, 0, api)
	r.forge(func(s *session) map[cookieKey]cookie {
		altered := map[cookieKey]cookie{}
		for key, c := range s.cookies {
			if c.issuer == api.Name {
				key.name, c.issuer = nameOf(s, r.cart().Name), r.cart().Name
				altered[key] = c
			}
		}
		return altered
	}, func(*session, *pod) bool { return true })
}

// nameOf returns the name of the cookie that a backend issued.
func nameOf(s *session, issuer string) string {
	for key, c := range s.cookies {
		if c.issuer == issuer {
			return key.name
		}
	}
	return ""
}

// forge sends forged cookies from new clients. It counts those that got no token in exchange, if the pod that served them may
// have been chosen by the forged part.
func (r *run) forge(forgery func(*session) map[cookieKey]cookie, chosen func(original *session, served *pod) bool) {
	honest := r.sessions
	forgers := r.newSessions(len(honest))
	r.each(forgers, func(s *session) {
		original := honest[s.number-len(honest)]
		s.cookies = forgery(original)
		if len(s.cookies) == 0 {
			r.count(func(c *counts) { c.failed++ }) // the proxy issued no token
			return
		}
		before := len(s.cookies)
		values := s.values()
		s.request(0, r.cart())
		b := s.bindings[r.cart().Name]
		if len(s.cookies) == before && s.values() == values && b != nil && chosen(original, b.pod) {
			r.count(func(c *counts) { c.forged++ })
		}
	})
	r.requests(forgers, 2, 0, r.cart())
	r.requests(honest, 1, 0, r.cart())
}

// values returns the values of all cookies, to see a change.
func (s *session) values() string {
	values := ""
	for _, c := range s.cookies {
		values += c.value
	}
	return values
}

// parallel sends the first requests of each browser concurrently. The browser keeps the cookies of the last response.
func parallel(r *run) {
	const requests = 6
	r.each(r.sessions, func(s *session) {
		responses := make([]*response, requests)
		var group sync.WaitGroup
		for i := range responses {
			group.Go(func() { responses[i], _ = s.get(r.client, r.subject.address(0), r.cart()) })
		}
		group.Wait()
		pods := map[*pod]bool{}
		var last []*http.Cookie
		for _, resp := range responses {
			if resp == nil || resp.pod == nil {
				r.count(func(c *counts) { c.failed++ })
				continue
			}
			pods[resp.pod], last = true, resp.cookies
		}
		r.count(func(c *counts) {
			c.requests += requests
			if len(pods) > 1 {
				c.splitBursts++
			}
			s.store(r.cart().Name, last)
		})
		for range 3 {
			s.request(0, r.cart())
		}
	})
}

// rotate adds a key, makes it the first one, and removes the old one, each time with a restart.
func rotate(r *run) {
	r.round(2)
	for _, keys := range [][]string{{keyA, keyB}, {keyB, keyA}, {keyB}} {
		for _, s := range r.sessions {
			if b := s.bindings[r.cart().Name]; b != nil {
				b.renewable = keys[0] != r.state.Keys[0]
			}
		}
		r.do(func() error {
			r.state.Keys = keys
			return r.subject.restart(0, r.state.clone())
		})
		r.round(1)
	}
}
