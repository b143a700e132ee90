package stay

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"testing"
)

// session is one client of one host: its cookies, its header or its address are what Limpet may know it by.
type session struct {
	way    way
	number int
	http   *http.Client
	pod    string // where its last request went
}

// newSessions makes clients that nobody has seen before.
func newSessions(t *testing.T, w way, from, n int) []*session {
	t.Helper()
	all := make([]*session, n)
	for i := range all {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = &session{way: w, number: from + i, http: &http.Client{Jar: jar, Transport: transport}}
	}
	return all
}

// transport is shared, as it would be behind a load balancer: a session is not a connection.
var transport = &http.Transport{MaxIdleConnsPerHost: 16}

// ask sends one request and returns the pod that answered, and how many cookies it set.
func (s *session) ask(t *testing.T, l *limpet) (pod string, cookies int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.http+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.way.host()
	switch s.way {
	case byHeader:
		r.Header.Set("X-Session-Id", fmt.Sprintf("session-%d", s.number))
	case byIP:
		r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.%d.%d", 113+s.number/250, s.number%250))
	}
	answer, err := s.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d: %s", s, answer.StatusCode, body)
	}
	return string(body), len(answer.Header.Values("Set-Cookie"))
}

func (s *session) String() string { return fmt.Sprintf("session %d by %s", s.number, s.way) }

// settle sends the first request of each session, and remembers its pod.
func settle(t *testing.T, l *limpet, sessions []*session) {
	t.Helper()
	for _, s := range sessions {
		var cookies int
		s.pod, cookies = s.ask(t, l)
		if want := s.cookiesOfABinding(); cookies != want {
			t.Fatalf("%s: %d cookies set by its first answer, want %d", s, cookies, want)
		}
	}
}

// cookiesOfABinding is how many cookies an answer sets that binds the session, anew or for the first time.
func (s *session) cookiesOfABinding() int {
	if s.way == byCookie {
		return 1
	}
	return 0
}

// expectNoneMoves sends n requests of each session and fails if one leaves its pod, or is given a cookie.
func expectNoneMoves(t *testing.T, l *limpet, sessions []*session, n int) {
	t.Helper()
	for _, s := range sessions {
		for range n {
			pod, cookies := s.ask(t, l)
			if pod != s.pod || cookies != 0 {
				t.Fatalf("%s: was on %s, is now on %s with %d new cookies", s, s.pod, pod, cookies)
			}
		}
	}
}

// podsOf counts the sessions of each pod.
func podsOf(sessions []*session) map[string]int {
	count := map[string]int{}
	for _, s := range sessions {
		count[s.pod]++
	}
	return count
}
