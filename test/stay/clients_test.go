package stay

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
	"testing"
)

// session is one client of one host: its cookies, its headers or its address are what Limpet may know it by.
type session struct {
	backend backend
	number  int
	header  http.Header // sent with every request
	http    *http.Client
	pod     string // where its last request went
}

// newSessions returns n clients that have not sent a request before.
func newSessions(t *testing.T, w backend, from, n int) []*session {
	t.Helper()
	all := make([]*session, n)
	for i := range all {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		s := &session{backend: w, number: from + i, header: http.Header{}, http: &http.Client{Jar: jar, Transport: transport}}
		s.header.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.%d", 113+s.number/250, s.number%250))
		switch w {
		case byHeader:
			s.header.Set("X-Session-Id", s.name())
		case byAppCookie:
			s.setCookie(sessionCookie, s.name())
		}
		all[i] = s
	}
	return all
}

// transport is shared, as it would be behind a load balancer: a session is not a connection.
var transport = &http.Transport{MaxIdleConnsPerHost: workers}

// workers is the number of concurrent clients.
const workers = 16

// response is a response as a client received it.
type response struct {
	status int
	pod    string
	header http.Header
}

// values is the number of values in the response that the client must send back.
func (a *response) values() int {
	return len(a.header.Values("Set-Cookie")) + len(a.header.Values(sessionHeader))
}

// get sends one request. A response of any status is no error.
func (s *session) get(l *limpet, path string) (*response, error) {
	r, err := http.NewRequest(http.MethodGet, "http://"+l.http+path, nil)
	if err != nil {
		return nil, err
	}
	r.Host, r.Header = s.backend.host(), s.header.Clone()
	switch s.backend {
	case byQuery:
		r.URL.RawQuery = "sid=" + s.name()
	case byPath:
		r.URL.Path = "/rooms/" + s.name()
	}
	return s.send(r)
}

func (s *session) name() string { return fmt.Sprintf("session-%d", s.number) }

func (s *session) send(r *http.Request) (*response, error) {
	got, err := s.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	a := &response{status: got.StatusCode, pod: string(body), header: got.Header}
	if id := got.Header.Get(sessionHeader); id != "" {
		s.header.Set(sessionHeader, id)
	}
	return a, nil
}

// mustGet sends one request and returns an error unless the status is 200.
func (s *session) mustGet(l *limpet, path string) (*response, error) {
	a, err := s.get(l, path)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("%s: status %d: %s", s, a.status, a.pod)
	}
	return a, err
}

func (s *session) String() string { return fmt.Sprintf("session %d by %s", s.number, s.backend) }

// cookie returns the first cookie of the client, or nil.
func (s *session) cookie() *http.Cookie {
	if all := s.http.Jar.Cookies(s.site()); len(all) > 0 {
		return all[0]
	}
	return nil
}

// setCookie makes the client send a cookie, or another value of the one it has.
func (s *session) setCookie(name, value string) {
	s.http.Jar.SetCookies(s.site(), []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// site returns the URL of the cookies of the client. Clients select cookies by Host, not by the address of the server.
func (s *session) site() *url.URL { return &url.URL{Scheme: "http", Host: s.backend.host(), Path: "/"} }

// each lets the sessions act, several at a time, and fails the test if one of them returns an error.
func each(t *testing.T, sessions []*session, act func(*session) error) {
	t.Helper()
	next := make(chan *session)
	var mu sync.Mutex
	var failures []error
	var all sync.WaitGroup
	for range min(workers, len(sessions)) {
		all.Go(func() {
			for s := range next {
				if err := act(s); err != nil {
					mu.Lock()
					failures = append(failures, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, s := range sessions {
		next <- s
	}
	close(next)
	all.Wait()
	if n := len(failures); n > 0 {
		t.Fatalf("%d of %d sessions: %v", n, len(sessions), errors.Join(failures[:min(n, 5)]...))
	}
}

// settle sends the first request of each session, and remembers its pod.
func settle(t *testing.T, l *limpet, sessions []*session) {
	t.Helper()
	each(t, sessions, func(s *session) error { return s.settle(l, "/") })
}

func (s *session) settle(l *limpet, path string) error {
	a, err := s.mustGet(l, path)
	if err != nil {
		return err
	}
	s.pod = a.pod
	if want := s.backend.valuesOfABinding(); a.values() != want {
		return fmt.Errorf("%s: the response that binds it has %d values, want %d", s, a.values(), want)
	}
	return nil
}

// expectNoneMoves sends n requests of each session and fails if one leaves its pod, or is given another value.
func expectNoneMoves(t *testing.T, l *limpet, sessions []*session, n int) {
	t.Helper()
	each(t, sessions, func(s *session) error { return s.stays(l, "/", n) })
}

func (s *session) stays(l *limpet, path string, n int) error {
	for range n {
		a, err := s.mustGet(l, path)
		if err != nil {
			return err
		}
		if a.pod != s.pod || a.values() != 0 {
			return fmt.Errorf("%s: was on %s, is now on %s with %d new values", s, s.pod, a.pod, a.values())
		}
	}
	return nil
}

// movesOnce sends a request that must move the session off its pod, and more that must not move it again.
func (s *session) movesOnce(l *limpet) error {
	was := s.pod
	if err := s.settle(l, "/"); err != nil {
		return err
	}
	if s.pod == was {
		return fmt.Errorf("%s: still served by %s, which is gone", s, was)
	}
	return s.stays(l, "/", 2)
}

// on returns the sessions that live on a pod, and the rest.
func on(pod string, sessions []*session) (there, elsewhere []*session) {
	for _, s := range sessions {
		if s.pod == pod {
			there = append(there, s)
		} else {
			elsewhere = append(elsewhere, s)
		}
	}
	return there, elsewhere
}

// podsOf counts the sessions of each pod.
func podsOf(sessions []*session) map[string]int {
	count := map[string]int{}
	for _, s := range sessions {
		count[s.pod]++
	}
	return count
}
