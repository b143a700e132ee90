package controllers

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// brokenWatches passes requests to the API server, and can end the watches and refuse to continue them.
type brokenWatches struct {
	next http.RoundTripper

	mu      sync.Mutex
	bodies  []*watchBody
	expired int // watches from a version that are refused, because it is too old
	refused int
}

func (b *brokenWatches) RoundTrip(q *http.Request) (*http.Response, error) {
	query := q.URL.Query()
	if query.Get("watch") == "" && !strings.Contains(q.URL.Path, "/watch/") {
		return b.next.RoundTrip(q)
	}
	if query.Get("sendInitialEvents") == "" && b.isExpired() {
		status := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}`
		return &http.Response{
			StatusCode: http.StatusGone, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: q,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(status)),
		}, nil
	}
	response, err := b.next.RoundTrip(q)
	if err == nil {
		body := &watchBody{ReadCloser: response.Body}
		response.Body = body
		b.mu.Lock()
		b.bodies = append(b.bodies, body)
		b.mu.Unlock()
	}
	return response, err
}

func (b *brokenWatches) isExpired() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.expired == 0 {
		return false
	}
	b.expired--
	b.refused++
	return true
}

// kill ends all watches, and refuses to continue that many of them.
func (b *brokenWatches) kill(expired int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expired = expired
	for _, body := range b.bodies {
		body.isKilled.Store(true)
		body.Close()
	}
	b.bodies = nil
}

// watchBody is the body of a watch, which ends like that of an API server that stops.
type watchBody struct {
	io.ReadCloser
	isKilled atomic.Bool
}

func (b *watchBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && b.isKilled.Load() {
		return n, io.EOF
	}
	return n, err
}
