package admin

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// slowClient sends the head of a POST and the given part of its body of ten bytes.
func slowClient(t *testing.T, to *httptest.Server, body string) *bufio.Reader {
	t.Helper()
	conn, err := net.Dial("tcp", to.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

func TestBoundBodies_slowBodyFails(t *testing.T) {
	failed := make(chan error, 1)
	server := httptest.NewServer(boundBodiesBy(50*time.Millisecond, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		failed <- err
	})))
	t.Cleanup(server.Close)
	slowClient(t, server, "12345")
	select {
	case err := <-failed:
		if err == nil {
			t.Error("the body was read")
		}
	case <-time.After(20 * time.Second):
		t.Error("the handler still waits for the body")
	}
}

// The handler runs for longer than a body may take, and its client is still there.
func TestBoundBodies_handlerMayRunLonger(t *testing.T) {
	server := httptest.NewServer(boundBodiesBy(50*time.Millisecond, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			t.Error("the request was canceled")
		case <-time.After(200 * time.Millisecond):
		}
		_, _ = io.WriteString(w, "done")
	})))
	t.Cleanup(server.Close)
	response, err := http.ReadResponse(slowClient(t, server, "1234567890"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || strings.TrimSpace(string(text)) != "done" {
		t.Errorf("%q, %v", text, err)
	}
}
