package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
)

// basketCookie holds the number of a client's basket. Every pod knows its own only.
const basketCookie = "basket"

// Basket is what a pod answers to a client.
type Basket struct {
	Pod   string `json:"pod"`
	Items int    `json:"items"`
}

// shop is one pod's memory. It may be used by any number of goroutines.
type shop struct {
	http.Handler

	pod        string
	streams    context.Context
	endStreams context.CancelFunc
	closing    atomic.Bool // answers ask for their connection to be closed

	mu      sync.Mutex
	baskets map[string]int
}

func newShop(pod string) *shop {
	s := &shop{pod: pod, baskets: map[string]int{}}
	s.streams, s.endStreams = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ready", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /{$}", s.show)
	mux.HandleFunc("POST /add", s.add)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /socket", s.socket)
	s.Handler = mux
	return s
}

// show says what is in the client's basket.
func (s *shop) show(w http.ResponseWriter, r *http.Request) { s.put(w, r, 0) }

// add puts one item into it.
func (s *shop) add(w http.ResponseWriter, r *http.Request) { s.put(w, r, 1) }

func (s *shop) put(w http.ResponseWriter, r *http.Request, items int) {
	id := rand.Text()
	if cookie, err := r.Cookie(basketCookie); err == nil {
		id = cookie.Value
	}
	s.mu.Lock()
	s.baskets[id] += items
	answer := Basket{s.pod, s.baskets[id]}
	s.mu.Unlock()
	if s.closing.Load() {
		w.Header().Set("Connection", "close")
	}
	http.SetCookie(w, &http.Cookie{Name: basketCookie, Value: id, Path: "/", HttpOnly: true})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // whoever asked has gone
}
