package main

import (
	"fmt"

	"github.com/limpet-dev/limpet/pkg/proxy"
)

// edgeOptions are about the connections of clients.
type edgeOptions struct {
	http3Addr     string
	proxyProtocol prefixes
	connections   proxy.ConnectionLimits
}

func (e *edgeOptions) register(f flagSet) {
	f.StringVar(&e.http3Addr, "http3-addr", "", "UDP `address` to serve HTTP/3 on; clients of HTTPS are told to come to the"+
		" port by which they know that; empty: do not")
	f.Var(&e.proxyProtocol, "proxy-protocol", "`CIDRs` of load balancers that begin every connection with a header of the"+
		" PROXY protocol, version 1 or 2; without one, theirs are refused; nobody else may send one")
	f.IntVar(&e.connections.Total, "max-connections", 0,
		"`number` of client connections that may be open at once; 0: no limit but that of open files")
	f.IntVar(&e.connections.Requests, "max-requests-per-connection", proxy.DefaultRequests, "`number` of requests that a"+
		" connection of HTTP/1.1 or HTTP/2 carries before its client is asked to make a new one; 0: no limit")
	f.IntVar(&e.connections.PerClient, "max-connections-per-client", 0, "`number` of connections that one IPv4 address or"+
		" one IPv6 network of 64 bits may have open, but for trusted proxies; 0: no limit, since many clients may share an address")
}

func (e *edgeOptions) validate() error {
	if e.connections.Total < 0 || e.connections.PerClient < 0 || e.connections.Requests < 0 {
		return fmt.Errorf("%w: --max-connections, --max-connections-per-client and --max-requests-per-connection are numbers"+
			" from 0", errUsage)
	}
	return nil
}

// apply tells the proxy.
func (e *edgeOptions) apply(o *proxy.Options) {
	o.ProxyProtocol, o.Connections = e.proxyProtocol, e.connections
}
