//go:build browsers

package browsers

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

const downloadBytes = 20 << 20

// startPods runs the pods, and returns a channel with the reports of pages.
func startPods(t *testing.T) <-chan result {
	t.Helper()
	reports := make(chan result, 1)
	for _, ip := range []string{"10.250.0.1", "10.250.0.2"} {
		l, err := net.Listen("tcp", ip+":8080")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: podHandler(ip, reports)}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { server.Close() })
	}
	return reports
}

func podHandler(name string, reports chan<- result) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/page.html") })
	mux.HandleFunc("GET /pod", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 20 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("GET /download", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", downloadBytes))
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	mux.HandleFunc("POST /early", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	})
	mux.HandleFunc("POST /seen", func(_ http.ResponseWriter, r *http.Request) {
		var report result
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			report.Error = err.Error()
		}
		reports <- report
	})
	mux.Handle("GET /socket", websocket.Handler(echo))
	return mux
}

func echo(ws *websocket.Conn) {
	defer ws.Close() // responds to the client's close frame
	var message string
	for websocket.Message.Receive(ws, &message) == nil && websocket.Message.Send(ws, message) == nil {
	}
}
