package proxy

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// Options are what a Server is made of. All fields are required unless their comment says otherwise.
type Options struct {
	// Config is for what happens to a request, whatever protocol it comes by.
	exchange.Config

	TLS TLSOptions
	// ProxyProtocol are the peers that begin every connection with a header of the PROXY protocol. What it says is
	// believed from nobody else. None by default.
	ProxyProtocol []netip.Prefix
	// Connections bounds the connections of clients. No bound where it is 0.
	Connections ConnectionLimits

	// budget bounds what a client may do to its HTTP/2 and HTTP/3 connections. Only tests set it; zero is the usual one.
	budget http2.Budget
}
