package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"
)

// beat is the interval between messages of a stream.
const beat = time.Second

// events serves server-sent events with the name of the pod.
func (s *shop) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	say := func() error {
		fmt.Fprintf(w, "data: %s\n\n", s.pod)
		return out.Flush()
	}
	for say() == nil && s.wait(r.Context().Done()) {
	}
}

// socket serves a WebSocket (RFC 6455) that sends the name of the pod and receives nothing.
func (s *shop) socket(w http.ResponseWriter, r *http.Request) {
	conn, both, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer conn.Close()
	accept := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) // section 1.3
	fmt.Fprintf(both, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(accept[:]))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = both.ReadByte() // the client only sends the end of the stream
	}()
	for sendText(both.Writer, s.pod) == nil && s.wait(gone) {
	}
}

// sendText sends an unmasked text frame (section 5.2). The text must be shorter than 126 bytes.
func sendText(w *bufio.Writer, text string) error {
	const finalText = 0x81
	_, _ = w.Write([]byte{finalText, byte(len(text))}) // Flush returns the error
	_, _ = w.WriteString(text)
	return w.Flush()
}

// wait waits for the next beat, and reports whether the stream continues.
func (s *shop) wait(gone <-chan struct{}) bool {
	select {
	case <-time.After(beat):
		return true
	case <-gone:
	case <-s.streams.Done():
	}
	return false
}
