package proxy

import (
	"net"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

var (
	errProtocol           = &http1.Error{Status: 501, Reason: "unsupported :protocol, only websocket is supported"}
	errProtocolNotConnect = &http1.Error{Status: 400, Reason: ":protocol without CONNECT"}

	secWebSocketKey = []byte("Sec-WebSocket-Key")
)

// isWebSocketConnect reports whether a request is the extended CONNECT of a WebSocket (RFC 8441). protocol is the value of
// ":protocol", or empty. It returns an error for any other use of ":protocol".
func isWebSocketConnect(method, protocol string) (bool, error) {
	switch {
	case protocol == "":
		return false, nil
	case method != http.MethodConnect:
		return false, errProtocolNotConnect
	case protocol != "websocket":
		return false, errProtocol
	}
	return true, nil
}

// protocolOf returns the ":protocol" of an HTTP/3 request, which quic-go stores in Proto, or an empty string.
func protocolOf(r *http.Request) string {
	if r.Proto == "HTTP/3.0" {
		return ""
	}
	return r.Proto
}

// upstreamMethod returns the method of the request to the pod: GET for a WebSocket, which uses the HTTP/1.1 handshake there.
func upstreamMethod(method []byte, socket bool) []byte {
	if socket {
		return []byte(http.MethodGet)
	}
	return method
}

// noAddresses completes net.Conn for a stream. Its addresses are not used.
type noAddresses struct{}

// LocalAddr implements net.Conn.
func (noAddresses) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr implements net.Conn.
func (noAddresses) RemoteAddr() net.Addr { return &net.TCPAddr{} }
