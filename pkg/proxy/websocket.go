package proxy

import (
	"net"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

var (
	errProtocol           = &http1.Error{Status: 501, Reason: "the protocol of CONNECT is not websocket"}
	errProtocolNotConnect = &http1.Error{Status: 400, Reason: "a protocol is given without CONNECT"}

	secWebSocketKey = []byte("Sec-WebSocket-Key")
)

// asksForSocket reports whether the request is the CONNECT of a WebSocket. protocol is its ":protocol", empty without one.
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

// protocolOf is the ":protocol" of an HTTP/3 request, where quic-go puts it.
func protocolOf(r *http.Request) string {
	if r.Proto == "HTTP/3.0" {
		return ""
	}
	return r.Proto
}

// methodFor is the method that a pod is asked with.
func upstreamMethod(method []byte, socket bool) []byte {
	if socket {
		return []byte(http.MethodGet)
	}
	return method
}

// noAddresses is for a connection that is a stream: no caller asks for its addresses.
type noAddresses struct{}

// LocalAddr is part of net.Conn.
func (noAddresses) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr is part of net.Conn.
func (noAddresses) RemoteAddr() net.Addr { return &net.TCPAddr{} }
