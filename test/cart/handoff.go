package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// handoffHeader names the pod that has the basket of a client, see docs/guides/handoff.md. Limpet removes it from what clients
// send.
const handoffHeader = "X-Session-Handoff"

const (
	fetchTimeout = 2 * time.Second
	maxBasket    = 1 << 10 // bytes
)

// basket is the state of one client. Its fields are guarded by shop.mu.
type basket struct {
	items int
	// takenBy is the address of the pod that has fetched the basket. Empty means that it is still here.
	takenBy string
	// fetched is closed when the basket has arrived from another pod. Nil means that it is here.
	fetched chan struct{}
}

// errElsewhere reports a basket that another pod has, or may have. The client must try again.
var errElsewhere = errors.New("cart: the basket is on another pod")

// find returns the basket of a client. A request with the header of a handoff fetches it first, unless it is here.
func (s *shop) find(r *http.Request, id string) (*basket, error) {
	from := r.Header.Get(handoffHeader)
	s.mu.Lock()
	b := s.baskets[id]
	switch {
	case from != "" && (b == nil || b.takenBy != ""):
		b = &basket{fetched: make(chan struct{})}
		s.baskets[id] = b
		s.mu.Unlock()
		return b, s.fetch(r.Context(), id, from, b)
	case b == nil:
		b = &basket{}
		s.baskets[id] = b
	case b.takenBy != "":
		s.mu.Unlock()
		return nil, errElsewhere
	}
	fetched := b.fetched
	s.mu.Unlock()
	if fetched == nil {
		return b, nil
	}
	select {
	case <-fetched: // by another request of the client
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.baskets[id] != b {
		return nil, errElsewhere
	}
	return b, nil
}

// fetch fills b with the basket that the pod in the header has. If that fails, it removes b, so that the next request fetches
// it again.
func (s *shop) fetch(ctx context.Context, id, from string, b *basket) error {
	items, err := s.request(ctx, id, from)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.baskets, id)
	}
	b.items = items
	close(b.fetched)
	b.fetched = nil
	return err
}

// request requests a basket from the pod in the header. The pods serve baskets on the same port.
func (s *shop) request(ctx context.Context, id, from string) (items int, err error) {
	host, err := hostOf(from)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	target := url.URL{Scheme: "http", Host: net.JoinHostPort(host, s.handoffPort), Path: "/baskets/" + id}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("cart: %s responded with %s", target.Host, resp.Status)
	}
	var got Basket
	err = json.NewDecoder(io.LimitReader(resp.Body, maxBasket)).Decode(&got)
	return got.Items, err
}

// hostOf returns the host in a header such as pod="cart-7d9f", address="10.0.0.7:8080".
func hostOf(header string) (string, error) {
	_, rest, found := strings.Cut(header, `address="`)
	address, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		return "", fmt.Errorf("cart: %q has no address", header)
	}
	host, _, err := net.SplitHostPort(address)
	return host, err
}

// giving returns the handler for other pods.
func (s *shop) giving() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /baskets/{id}", s.giveBasket)
	return mux
}

// giveBasket sends a basket to another pod, which may repeat its request. Requests of the client then get errElsewhere here.
func (s *shop) giveBasket(w http.ResponseWriter, r *http.Request) {
	to, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.baskets[r.PathValue("id")]
	switch {
	case b == nil:
		http.Error(w, "there is no such basket", http.StatusNotFound)
		return
	case b.fetched != nil || b.takenBy != "" && b.takenBy != to:
		http.Error(w, errElsewhere.Error(), http.StatusConflict)
		return
	}
	b.takenBy = to
	_ = json.NewEncoder(w).Encode(Basket{s.pod, b.items}) // the other pod is gone
}
