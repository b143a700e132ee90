// Package proxy accepts client connections and serves HTTP/1.1, HTTP/2 and HTTP/3 on them.
//
// One goroutine at a time serves a connection of HTTP/1.1, or a stream of HTTP/2 or HTTP/3: it reads the head of a request
// and hands it to an exchange.Exchange, which writes the response through the protocol's exchange.Downstream.
//
// It decides how many connections are admitted, in total and per client (admission.go), which peer a PROXY protocol header
// names (proxyprotocol.go), how long each connection may wait, what the TLS handshake requires, and how connections end on
// shutdown.
//
// To read it, begin with server.go and client.go. Then, for N of 1, 2 and 3, httpN.go serves a connection and httpNstream.go
// a request. streamstate.go holds the state that HTTP/2 and HTTP/3 streams share. The sweeper visits the sets in
// connections.go and streamguards.go.
//
// It leaves everything about one request to pkg/exchange, the wire to pkg/http1 and pkg/http2, and which certificate is
// presented to pkg/certs.
package proxy
