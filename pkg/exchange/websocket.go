package exchange

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // required by RFC 6455, without security properties
	"encoding/base64"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// WebSockets over HTTP/2 and HTTP/3 start with an extended CONNECT (RFC 8441, RFC 9220). The request to the pod is an HTTP/1.1
// Upgrade. Limpet therefore generates the Sec-WebSocket-Key and checks the Sec-WebSocket-Accept of the pod.

var secWebSocketKey = []byte("Sec-WebSocket-Key")

// RequestWebSocket makes the exchange request a WebSocket from its pod. The request has no body and no length: the client's
// data is for the tunnel.
func (x *Exchange) RequestWebSocket() {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	text := base64.StdEncoding.AppendEncode(nil, key)
	x.req.Upgrade, x.req.Body, x.req.ContentLength = websocket, http1.BodyNone, -1
	x.req.Add(secWebSocketKey, text)
	x.webSocketAccept = webSocketAcceptKey(text)
}

// webSocketAcceptKey returns the Sec-WebSocket-Accept value for key (RFC 6455 section 4.2.2).
func webSocketAcceptKey(key []byte) []byte {
	sum := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) //nolint:gosec // as above
	return base64.StdEncoding.AppendEncode(nil, sum[:])
}
