package exchange

import (
	"bytes"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// clientAddress returns the address of the client: the address of the peer, unless the peer is a trusted proxy. For a trusted
// proxy it uses the first of the configured client headers that the request has. It ignores the other ones: a proxy may
// forward a header that it does not set itself, with a value that the client made up.
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

// addressFrom reads the header backwards, up to the first address that is not a trusted proxy. Everything before that address
// was not written by a trusted proxy. If all addresses are trusted, the first one is the client.
func (r *request) addressFrom(id http1.FieldID) netip.Addr {
	client := r.Peer
	for i := len(r.req.Fields) - 1; i >= 0; i-- {
		f := &r.req.Fields[i]
		if f.ID != id {
			continue
		}
		parse := r.parseListBackward
		if id == http1.FieldForwarded {
			parse = r.parseForwardedBackward
		}
		addr, done := parse(client, f.Value)
		if done {
			return addr
		}
		client = addr
	}
	return client
}

// parseListBackward reads one list of addresses backwards. done reports whether the client was found.
func (r *request) parseListBackward(client netip.Addr, list []byte) (addr netip.Addr, done bool) {
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

// parseForwardedBackward is parseListBackward for a Forwarded field.
func (r *request) parseForwardedBackward(client netip.Addr, value []byte) (addr netip.Addr, done bool) {
	var hops forwardedHops
	if !hops.read(value) {
		return client, true
	}
	for i := hops.count - 1; i >= max(0, hops.count-maxHops); i-- {
		addr, ok := parseNode(hops.nodes[i%maxHops])
		if !ok {
			return client, true
		}
		if !r.Engine.Trusts(addr) {
			return addr, true
		}
		client = addr
	}
	return client, hops.count > maxHops
}

// parseAddress parses "192.0.2.1", "192.0.2.1:443", "2001:db8::1" or "[2001:db8::1]:443". Proxies write all of these forms.
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
