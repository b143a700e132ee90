package proxy

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// Options configures a Server. All fields are required unless their comment states otherwise.
type Options struct {
	// Config configures the handling of requests, for all protocols.
	exchange.Config

	TLS TLSOptions
	// ProxyProtocol lists the peers that begin every connection with a PROXY protocol header. Connections of these peers
	// without the header are refused, and so is the header from any other peer. Empty by default.
	ProxyProtocol []netip.Prefix
	// Connections limits client connections. The zero value sets no limit.
	Connections ConnectionLimits

	// budget limits resets and empty frames on HTTP/2 and HTTP/3 connections. Zero means defaultBudget. Only tests set it.
	budget http2.Budget
}
