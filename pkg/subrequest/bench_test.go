package subrequest

import (
	"net"
	"testing"

	"github.com/limpet-dev/limpet/pkg/filter"
)

// BenchmarkDo_kept sends requests over one connection, as for each request of a client with auth-url.
func BenchmarkDo_kept(b *testing.B) {
	endpoints := raw(b, func(conn net.Conn) {
		response := []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-User: ann\r\n\r\n")
		for buf := make([]byte, 4096); ; {
			if _, err := conn.Write(response); err != nil {
				return
			}
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	})
	c := newClient(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		s := get(endpoints)
		s.MaxBody = 0
		if _, err := c.Do(s); err != nil {
			b.Fatal(err)
		}
	}
}

var _ filter.Endpoints = (*fixed)(nil)
