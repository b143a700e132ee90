package proxy

import (
	"crypto/rand"
	"crypto/sha1" // RFC 6455 wants it, and nothing depends on its strength
	"encoding/base64"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// WebSockets over HTTP/2 and HTTP/3 begin with a CONNECT that says ":protocol" (RFC 8441, RFC 9220). Pods are asked in
// HTTP/1.1, so that question and answer are translated: a key is made here, and what the pod makes of it is checked here.

var (
	errProtocol        = &http1.Error{Status: 501, Reason: "the protocol of CONNECT is not websocket"}
	errProtocolWithout = &http1.Error{Status: 400, Reason: "a protocol is given without CONNECT"}

	secWebSocketKey = []byte("Sec-WebSocket-Key")
)

// asksForSocket reports whether the request is the CONNECT of a WebSocket. protocol is its ":protocol", empty without one.
func asksForSocket(method, protocol string) (bool, error) {
	switch {
	case protocol == "":
		return false, nil
	case method != http.MethodConnect:
		return false, errProtocolWithout
	case protocol != string(websocket):
		return false, errProtocol
	}
	return true, nil
}

// protocolOf is the ":protocol" of an HTTP/3 request, where quic-go puts it.
func protocolOf(r *http.Request) string {
	if r.Proto == "HTTP/3.0" {
		return ""
	}
	return r.Proto
}

// methodFor is the method that a pod is asked with.
func methodFor(method []byte, socket bool) []byte {
	if socket {
		return []byte(http.MethodGet)
	}
	return method
}

// askForSocket makes the exchange ask its pod for a WebSocket. The request has no body: what the client sends is for the
// tunnel, and has no length either.
func (x *exchange) askForSocket() {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	text := base64.StdEncoding.AppendEncode(nil, key)
	x.req.Upgrade, x.req.Body, x.req.ContentLength = websocket, http1.BodyNone, -1
	x.req.Add(secWebSocketKey, text)
	x.accept = acceptFor(text)
}

// acceptFor is how a pod shows that it has understood the key (RFC 6455 section 4.2.2).
func acceptFor(key []byte) []byte {
	sum := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.AppendEncode(nil, sum[:])
}
