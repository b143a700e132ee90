package adminclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// serve returns a client of a server with a handler.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{Name: "limpet-a", URL: u, Token: "secret"}
}

func TestClient_sendsTokenAndBody(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.String() != "/explain?x=y" || string(body) != `{"url":"u"}` ||
			r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s with %s, %v", r.Method, r.URL, body, r.Header)
		}
		_, _ = w.Write([]byte(`{"n": 7}`))
	})
	var out struct{ N int }
	if err := c.Post(t.Context(), "/explain?x=y", map[string]string{"url": "u"}, &out); err != nil || out.N != 7 {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestClient_errors(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    string
	}{
		"status": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "send a token", http.StatusUnauthorized) },
			"limpet-a responded 401 Unauthorized: send a token"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
			"limpet-a responded 302 Found"},
		"not JSON": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) }, "limpet-a: invalid response"},
		"too long": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat(" ", maxResponse+1)))
		}, "longer than"},
		"no response": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "limpet-a does not respond: EOF"},
	} {
		err := serve(t, c.handler).Get(t.Context(), "/debug/table", new(any))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestClient_timesOut(t *testing.T) {
	left, right := net.Pipe()
	t.Cleanup(func() { left.Close(); right.Close() })
	go func() { _, _ = io.Copy(io.Discard, right) }() // reads the request, and never responds
	c := &Client{Name: "limpet-a", URL: &url.URL{Scheme: "http", Host: "localhost"}, Timeout: time.Millisecond,
		Dial: func(context.Context) (net.Conn, error) { return left, nil }}
	if err := c.Get(t.Context(), "/readyz", new(any)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
