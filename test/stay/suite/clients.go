package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"time"
)

// clientTimeout is more than any proxy here needs for its retries.
const clientTimeout = 15 * time.Second

// newClient returns an HTTP client. The sessions share its connections, as behind a load balancer.
func newClient() *http.Client {
	return &http.Client{
		Timeout: clientTimeout,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: workers,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		},
	}
}

// session is one browser. One goroutine at a time uses it.
type session struct {
	run      *run
	number   int
	cookies  map[cookieKey]cookie
	bindings map[string]*binding // by the name of the route
}

type cookieKey struct{ name, path string }

type cookie struct {
	value  string
	issuer string // the name of the route
}

// binding is where a session was served last.
type binding struct {
	pod        *pod
	departures int64 // of the pod, before the last request was sent
	moved      bool  // because an earlier pod had left
	renewable  bool  // the next response may replace the token
}

// response is what judge needs of a response.
type response struct {
	status  int
	pod     *pod
	cookies []*http.Cookie
}

// get sends a request with the cookies of the session, and stores the cookies of the response.
func (s *session) get(client *http.Client, address string, of *route) (*response, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+address+of.path, nil)
	if err != nil {
		return nil, err
	}
	r.Host = of.host
	s.addCookies(r)
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	return &response{resp.StatusCode, s.run.podNamed(resp.Header.Get("X-Pod")), resp.Cookies()}, nil
}

func (s *session) addCookies(r *http.Request) {
	for key, c := range s.cookies {
		if strings.HasPrefix(r.URL.Path, key.path) {
			r.AddCookie(&http.Cookie{Name: key.name, Value: c.value})
		}
	}
}

// store replaces cookies, and returns how many of them belonged to another route.
func (s *session) store(issuer string, cookies []*http.Cookie) (overwritten int) {
	for _, c := range cookies {
		key := cookieKey{c.Name, cmp.Or(c.Path, "/")}
		if old, found := s.cookies[key]; found && old.issuer != issuer && old.value != c.Value {
			overwritten++
		}
		s.cookies[key] = cookie{c.Value, issuer}
	}
	return overwritten
}

// clone returns another tab of the browser, for another goroutine. It has the cookies of now.
func (s *session) clone() *session {
	c := *s
	c.cookies, c.bindings = maps.Clone(s.cookies), map[string]*binding{}
	for name, b := range s.bindings {
		copied := *b
		c.bindings[name] = &copied
	}
	return &c
}

// request sends a request to a replica and counts what happened.
func (s *session) request(replica int, of *route) {
	s.requestAt(s.run.subject.address(replica), of)
}

func (s *session) requestAt(address string, of *route) {
	r := s.run
	b := s.bindings[of.Name]
	was, departures := int64(0), int64(0)
	if b != nil {
		was, departures = b.departures, b.pod.departures.Load()
	}
	startedDraining := r.drainingPods()
	resp, err := s.get(r.client, address, of)
	r.count(func(c *counts) {
		c.requests++
		if err != nil || resp.status >= 500 || resp.pod == nil {
			c.failed++
			r.note("session %d: %v", s.number, cmp.Or(err, fmt.Errorf("not served by a pod: %+v", resp)))
			return
		}
		c.overwritten += s.store(of.Name, resp.cookies)
		switch {
		case b == nil:
			s.bindings[of.Name] = &binding{pod: resp.pod, departures: resp.pod.departures.Load()}
			c.placed[resp.pod.name]++
			c.extraCookies += max(0, len(resp.cookies)-1)
			if startedDraining[resp.pod] {
				c.newOnDraining++
			}
		case b.pod == resp.pod:
			b.departures = departures
			if !b.renewable || len(resp.cookies) > 1 {
				c.extraCookies += len(resp.cookies)
			}
			b.renewable = false
		default:
			s.move(c, b, resp, was)
		}
	})
}

// move counts that another pod served the session.
func (s *session) move(c *counts, b *binding, resp *response, was int64) {
	left := !b.pod.serving.Load() || b.pod.departures.Load() != was
	s.run.note("session %d: from %s to %s, which it may: %v", s.number, b.pod.name, resp.pod.name, left)
	c.extraCookies += max(0, len(resp.cookies)-1)
	switch {
	case left:
	case b.moved:
		c.movedAgain++
	default:
		c.movedServing++
	}
	b.pod, b.departures, b.moved = resp.pod, resp.pod.departures.Load(), left
}
