package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
)

// basketCookie contains the number of a client's basket. Each pod knows only its own baskets.
const basketCookie = "basket"

// Basket is the response to a client.
type Basket struct {
	Pod   string `json:"pod"`
	Items int    `json:"items"`
}

// shop is the state of a pod. It is safe for concurrent use.
type shop struct {
	http.Handler

	pod        string
	streams    context.Context
	endStreams context.CancelFunc
	closing    atomic.Bool // responses have Connection: close

	client      *http.Client // fetches baskets from other pods
	handoffPort string       // on which all pods send baskets to each other

	mu      sync.Mutex
	baskets map[string]*basket
}

func newShop(pod string) *shop {
	s := &shop{pod: pod, client: &http.Client{}, baskets: map[string]*basket{}}
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

// show responds with the contents of the client's basket.
func (s *shop) show(w http.ResponseWriter, r *http.Request) { s.put(w, r, 0) }

// add adds an item to the client's basket.
func (s *shop) add(w http.ResponseWriter, r *http.Request) { s.put(w, r, 1) }

func (s *shop) put(w http.ResponseWriter, r *http.Request, items int) {
	id := rand.Text()
	if cookie, err := r.Cookie(basketCookie); err == nil {
		id = cookie.Value
	}
	b, err := s.find(r, id)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	s.mu.Lock()
	if b.takenBy != "" { // since find
		s.mu.Unlock()
		http.Error(w, errElsewhere.Error(), http.StatusServiceUnavailable)
		return
	}
	b.items += items
	answer := Basket{s.pod, b.items}
	s.mu.Unlock()
	if s.closing.Load() {
		w.Header().Set("Connection", "close")
	}
	http.SetCookie(w, &http.Cookie{Name: basketCookie, Value: id, Path: "/", HttpOnly: true})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // the client is gone
}
