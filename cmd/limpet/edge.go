package main

import "github.com/limpet-dev/limpet/pkg/proxy"

// edgeOptions are about the connections of clients.
type edgeOptions struct {
	proxyProtocol prefixes
}

func (e *edgeOptions) register(f flagSet) {
	f.Var(&e.proxyProtocol, "proxy-protocol", "`CIDRs` of load balancers that begin every connection with a header of the"+
		" PROXY protocol, version 1 or 2; without one, theirs are refused; nobody else may send one")
}

// apply tells the proxy.
func (e *edgeOptions) apply(o *proxy.Options) {
	o.ProxyProtocol = e.proxyProtocol
}
