package main

import (
	"github.com/limpet-dev/limpet/pkg/proxy"
)

// edgeOptions are the flags for client connections.
type edgeOptions struct {
	http3Addr     string
	proxyProtocol prefixes
	connections   proxy.ConnectionLimits
}

func (e *edgeOptions) register(f flagSet) {
	f.StringVar(&e.http3Addr, "http3-addr", "", "The UDP `address` on which to serve HTTP/3. HTTPS responses advertise it with"+
		" the port of the HTTPS request. An empty address disables HTTP/3.")
	f.Var(&e.proxyProtocol, "proxy-protocol", "The comma-separated `CIDRs` of load balancers that begin every connection with a"+
		" PROXY protocol header, version 1 or 2. Their connections without the header are refused, and so is the header from"+
		" any other peer.")
	f.IntVar(&e.connections.Total, "max-connections", 0, "The maximum `number` of open client connections. Zero sets no limit"+
		" but that of open files.")
	f.IntVar(&e.connections.Requests, "max-requests-per-connection", proxy.DefaultRequests, "The `number` of requests on an"+
		" HTTP/1.1 or HTTP/2 connection after which Limpet closes it gracefully. Zero sets no limit.")
	f.IntVar(&e.connections.PerClient, "max-connections-per-client", 0, "The maximum `number` of open connections from one IPv4"+
		" address or one IPv6 /64 network, trusted proxies excepted. Zero sets no limit, since many clients may share an"+
		" address.")
}

func (e *edgeOptions) validate() error {
	if e.connections.Total < 0 || e.connections.PerClient < 0 || e.connections.Requests < 0 {
		return usagef("--max-connections, --max-connections-per-client and --max-requests-per-connection must not be negative")
	}
	return nil
}

// apply sets the options of the proxy.
func (e *edgeOptions) apply(o *proxy.Options) {
	o.ProxyProtocol, o.Connections = e.proxyProtocol, e.connections
}
