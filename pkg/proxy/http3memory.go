package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// http3StreamBytes is what a stream of HTTP/3 costs beside its head and its body, in quic-go and here.
const http3StreamBytes = 40 << 10

// http3Cost returns what a request holds: for as long as it is served, and until its head is released. The head is there
// as quic-go has read it, as the exchange knows it, and as it is written out for the pod.
func http3Cost(r *http.Request) (base, head int) {
	base = http3StreamBytes
	if r.ContentLength > 0 || mayRequireLength([]byte(r.Method)) {
		base += streamWindow + http3ReadSize
	}
	return base, 3 * http3HeadBytes(r)
}

func http3HeadBytes(r *http.Request) (n int) {
	const perField = 56 // beside the text
	n = len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + perField
		}
	}
	return n
}

// refuseHTTP3 responds to a request that may not be held.
func refuseHTTP3(w http.ResponseWriter) {
	w.Header().Set("Retry-After", exchange.RetryAfter)
	w.WriteHeader(http.StatusServiceUnavailable)
}

// ReleaseHead forgets what quic-go has read, as well as what was made of it.
func (s *http3Stream) ReleaseHead() {
	clear(s.r.Header)
	s.uncharge(s.connection.Account)
}

// uncharge gives back what the head was counted for.
func (s *http3Stream) uncharge(account *memory.Account) {
	account.Return(s.charged)
	s.charged = 0
}
