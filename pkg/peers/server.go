package peers

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// maxRequest bounds the body of a request in bytes.
const maxRequest = 64 << 10

// maxNonces bounds the requests that are remembered against replay. More in maxAge are refused.
const maxNonces = 10_000

// Server serves requests of other replicas only. It is safe for concurrent use.
type Server struct {
	Keys Keys

	mu     sync.Mutex
	nonces map[string]time.Time // when they end
}

// Guard returns a handler that serves next only to replicas with the same keys, and signs its responses. It buffers them.
//
// A request must have been sent to the address at which it arrives, within half a minute, and only once.
func (s *Server) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if err != nil {
			refuse(w, http.StatusRequestEntityTooLarge)
			return
		}
		keys := s.Keys()
		if len(keys) == 0 {
			refuse(w, http.StatusServiceUnavailable)
			return
		}
		m := messageOf(r, body)
		if !isSentTo(r) || !m.verify(keys, r.Header.Get(signatureHeader)) || !s.isFresh(&m, time.Now()) {
			refuse(w, http.StatusUnauthorized)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		out := &recorder{header: w.Header(), status: http.StatusOK}
		next.ServeHTTP(out, r)
		response := m.responseTo(out.status, out.body.Bytes())
		w.Header().Set(signatureHeader, response.sign(keys[0]))
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body.Bytes()) // the client is gone
	})
}

// refuse does not name the problem: only replicas send such requests.
func refuse(w http.ResponseWriter, status int) {
	http.Error(w, "only replicas of Limpet are served here", status)
}

// isSentTo reports whether the Host field is the address at which the request arrived. Otherwise a request to one replica
// could be repeated at another.
func isSentTo(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return false
	}
	to, err := netip.ParseAddrPort(r.Host)
	return err == nil && netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port()) == to
}

// isFresh reports whether the request is recent and has not been received before.
func (s *Server) isFresh(m *message, now time.Time) bool {
	sent, err := strconv.ParseInt(m.time, 10, 64)
	if err != nil || len(m.nonce) != 2*nonceSize || !isHex(m.nonce) {
		return false
	}
	age := now.Sub(time.Unix(sent, 0))
	if age > maxAge || age < -maxAge {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for nonce, end := range s.nonces {
		if now.After(end) {
			delete(s.nonces, nonce)
		}
	}
	if _, known := s.nonces[m.nonce]; known || len(s.nonces) >= maxNonces {
		return false
	}
	if s.nonces == nil {
		s.nonces = map[string]time.Time{}
	}
	s.nonces[m.nonce] = time.Unix(sent, 0).Add(maxAge + time.Second)
	return true
}

func isHex(text string) bool {
	_, err := hex.DecodeString(text)
	return err == nil
}

// recorder buffers a response.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }
