package main

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// pace is the interval between the requests of an honest client.
const pace = 5 * time.Millisecond

// honest is a client that does what clients do, over HTTP/1.1 and HTTP/2 in turn.
type honest struct {
	address string
	clients [2]*http.Client
}

func newHonest(address string) *honest {
	h := &honest{address: address}
	for i := range h.clients {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(i == 0)
		protocols.SetUnencryptedHTTP2(i == 1)
		h.clients[i] = &http.Client{Transport: &http.Transport{Protocols: protocols}, Timeout: 10 * time.Second}
	}
	return h
}

func (h *honest) close() {
	for _, c := range h.clients {
		c.CloseIdleConnections()
	}
}

// latencies are the latencies of the requests that got a response.
type latencies struct {
	sorted []time.Duration
	failed int
}

func (l *latencies) count() int { return len(l.sorted) + l.failed }

// p99 returns the latency that one in a hundred exceeds.
func (l *latencies) p99() time.Duration {
	if len(l.sorted) == 0 {
		return 0
	}
	return l.sorted[len(l.sorted)*99/100].Round(10 * time.Microsecond)
}

// ask sends requests for that long.
func (h *honest) ask(most time.Duration) (*latencies, error) {
	l := &latencies{}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for end, n := time.Now().Add(most), 0; time.Now().Before(end); n++ {
		begun := time.Now()
		if h.get(h.clients[n%len(h.clients)], hostOf(n%10)) != nil {
			l.failed++
		} else {
			l.sorted = append(l.sorted, time.Since(begun))
		}
		<-tick.C
	}
	if len(l.sorted) == 0 {
		return nil, errors.New("the honest client got no response")
	}
	slices.Sort(l.sorted)
	return l, nil
}

var errStatus = errors.New("the status is not 200")

func (h *honest) get(c *http.Client, host string) error {
	q, err := http.NewRequest(http.MethodGet, "http://"+h.address+"/", http.NoBody) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	q.Host = host
	resp, err := c.Do(q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
		err = errStatus
	}
	return err
}
