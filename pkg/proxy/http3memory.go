package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// http3StreamBytes is the memory of an HTTP/3 stream in quic-go and Limpet, without head and body.
const http3StreamBytes = 40 << 10

// http3Cost returns the bytes to charge for a request: base until it has been served, and head until ReleaseHead. The head
// exists three times: as read by quic-go, as parsed for the exchange, and as serialized for the pod.
func http3Cost(r *http.Request) (base, head int) {
	base = http3StreamBytes
	if r.ContentLength > 0 || mayRequireLength([]byte(r.Method)) {
		base += streamWindow + http3ReadSize
	}
	return base, 3 * http3HeadBytes(r)
}

// http3HeadBytes estimates the size of the head of r as quic-go holds it.
func http3HeadBytes(r *http.Request) (n int) {
	const perField = 56 // bytes of overhead
	n = len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + perField
		}
	}
	return n
}

// refuseHTTP3 responds with 503 to a request for which there is no memory, or with the same as a gRPC status.
func refuseHTTP3(w http.ResponseWriter, r *http.Request) {
	status, fields := exchange.MemoryLimitHead([]byte(r.Header.Get("Content-Type")))
	for i := range fields {
		w.Header().Set(string(fields[i].Name), string(fields[i].Value))
	}
	w.WriteHeader(status)
}

// ReleaseHead implements exchange.Downstream. It drops the header fields that quic-go read, and returns their charge.
func (s *http3Stream) ReleaseHead() {
	clear(s.r.Header)
	s.uncharge(s.connection.Account)
}

// uncharge returns the charge for the head.
func (s *http3Stream) uncharge(account *memory.Account) {
	account.Return(s.charged)
	s.charged = 0
}
