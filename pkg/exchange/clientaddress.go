package exchange

import (
	"bytes"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// clientAddress returns the address that the request comes from: the peer, unless that is a trusted proxy. Then it is what the
// first client header says that the request has. The others are ignored: a proxy may pass on a field that it does not set
// itself as the client has sent it.
func (r *request) clientAddress() netip.Addr {
	if !r.Trusted {
		return r.Peer
	}
	for _, id := range r.Engine.ClientHeaders {
		if r.req.Has(id) {
			return r.addressFrom(id)
		}
	}
	return r.Peer
}

// addressFrom reads the header from its end, up to the first address that is not a trusted proxy itself. What stands before
// that one was not written by a trusted proxy. If all are trusted, the first one is the client.
func (r *request) addressFrom(id http1.FieldID) netip.Addr {
	client := r.Peer
	for i := len(r.req.Fields) - 1; i >= 0; i-- {
		f := &r.req.Fields[i]
		if f.ID != id {
			continue
		}
		walk := r.walkBack
		if id == http1.FieldForwarded {
			walk = r.walkElements
		}
		addr, done := walk(client, f.Value)
		if done {
			return addr
		}
		client = addr
	}
	return client
}

// walkBack reads one list of addresses from its end. done says that the client was found.
func (r *request) walkBack(client netip.Addr, list []byte) (addr netip.Addr, done bool) {
	for len(list) > 0 {
		comma := bytes.LastIndexByte(list, ',')
		element := bytes.Trim(list[comma+1:], " \t")
		list = list[:max(comma, 0)]
		if len(element) == 0 {
			continue
		}
		addr, ok := parseAddress(element)
		if !ok {
			return client, true
		}
		if !r.Engine.Trusts(addr) {
			return addr, true
		}
		client = addr
	}
	return client, false
}

// walkElements is walkBack of a Forwarded field.
func (r *request) walkElements(client netip.Addr, value []byte) (addr netip.Addr, done bool) {
	var hops forwardedHops
	if !hops.read(value) {
		return client, true
	}
	for i := hops.count - 1; i >= max(0, hops.count-mostHops); i-- {
		addr, ok := parseNode(hops.nodes[i%mostHops])
		if !ok {
			return client, true
		}
		if !r.Engine.Trusts(addr) {
			return addr, true
		}
		client = addr
	}
	return client, hops.count > mostHops
}

// parseAddress reads "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443". Proxies write all of them.
func parseAddress(b []byte) (netip.Addr, bool) {
	if len(b) > 64 || bytes.IndexByte(b, '%') >= 0 {
		return netip.Addr{}, false
	}
	host := b
	if b[0] == '[' {
		end := bytes.IndexByte(b, ']')
		if end < 0 {
			return netip.Addr{}, false
		}
		host = b[1:end]
	} else if colon := bytes.IndexByte(b, ':'); colon >= 0 && bytes.IndexByte(b[colon+1:], ':') < 0 {
		host = b[:colon]
	}
	addr, err := netip.ParseAddr(string(host))
	return addr.Unmap(), err == nil
}
