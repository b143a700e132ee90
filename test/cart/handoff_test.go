package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// startShop starts a pod of the shop that sends baskets on an address of the loopback network. Its header is what Limpet sends
// to other pods.
func startShop(t *testing.T, ip, port string) (s *shop, header string, listening string) {
	t.Helper()
	s = newShop("pod-" + ip)
	l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
	if err != nil {
		t.Fatal(err)
	}
	_, s.handoffPort, _ = net.SplitHostPort(l.Addr().String())
	server := &http.Server{Handler: s.giving()}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return s, `pod="` + s.pod + `", address="` + ip + `:8080"`, s.handoffPort
}

func twoShops(t *testing.T) (old *shop, header string, next *shop) {
	old, header, port := startShop(t, "127.0.0.1", "0")
	next, _, _ = startShop(t, "127.0.0.2", port)
	return old, header, next
}

// addTo adds an item to basket b1, and returns the response.
func addTo(s *shop, header string) (status, items int) {
	r := httptest.NewRequest(http.MethodPost, "/add", nil)
	r.AddCookie(&http.Cookie{Name: basketCookie, Value: "b1"})
	if header != "" {
		r.Header.Set(handoffHeader, header)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	var got Basket
	_ = json.Unmarshal(w.Body.Bytes(), &got) // an error has no basket
	return w.Code, got.Items
}

func TestHandoff_basketMoves(t *testing.T) {
	old, header, next := twoShops(t)
	addTo(old, "")
	addTo(old, "")
	if status, items := addTo(next, header); status != 200 || items != 3 {
		t.Errorf("on the new pod: status %d, %d items, want 3", status, items)
	}
	if status, items := addTo(next, header); status != 200 || items != 4 {
		t.Errorf("with the old token: status %d, %d items, want 4", status, items)
	}
	if status, _ := addTo(old, ""); status != 503 {
		t.Errorf("the old pod responds with %d, want 503", status)
	}
}

func TestHandoff_parallelRequests(t *testing.T) {
	old, header, next := twoShops(t)
	addTo(old, "")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if status, _ := addTo(next, header); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	if _, items := addTo(next, ""); items != 22 {
		t.Errorf("%d items, want 22", items)
	}
}

// A failed fetch must not start an empty basket.
func TestHandoff_unreachablePod(t *testing.T) {
	old, header, next := twoShops(t)
	addTo(old, "")
	for _, wrong := range []string{`pod="x", address="127.0.0.3:8080"`, `pod="x"`, "nonsense"} {
		if status, _ := addTo(next, wrong); status != 503 {
			t.Errorf("%s: status %d, want 503", wrong, status)
		}
	}
	if status, items := addTo(next, header); status != 200 || items != 2 {
		t.Errorf("the next request: status %d, %d items, want 2", status, items)
	}
}
