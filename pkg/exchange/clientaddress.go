package exchange

import (
	"bytes"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// clientHop is the client as the proxies in front of Limpet name it.
type clientHop struct {
	addr netip.Addr
	// element describes the hop from the client. It is empty unless the field is Forwarded.
	element forwardedElement
}

// clientFrom reads the header backwards, up to the first address that is not a trusted proxy. Everything before that address
// was not written by a trusted proxy. If all addresses are trusted, the first one is the client.
func clientFrom(c *Connection, head *http1.Request, id http1.FieldID) clientHop {
	client := clientHop{addr: c.Peer}
	for i := len(head.Fields) - 1; i >= 0; i-- {
		f := &head.Fields[i]
		if f.ID != id {
			continue
		}
		parse := client.readListBackward
		if id == http1.FieldForwarded {
			parse = client.readForwardedBackward
		}
		if parse(c.Engine, f.Value) {
			break
		}
	}
	return client
}

// readListBackward reads one list of addresses backwards. It reports whether the client was found.
func (c *clientHop) readListBackward(e *Engine, list []byte) bool {
	for len(list) > 0 {
		comma := bytes.LastIndexByte(list, ',')
		element := bytes.Trim(list[comma+1:], " \t")
		list = list[:max(comma, 0)]
		if len(element) == 0 {
			continue
		}
		addr, ok := parseAddress(element)
		if !ok {
			return true
		}
		if c.addr = addr; !e.Trusts(addr) {
			return true
		}
	}
	return false
}

// readForwardedBackward is readListBackward for a Forwarded field. An element without an address is from a trusted proxy,
// too. Its other pairs count.
func (c *clientHop) readForwardedBackward(e *Engine, value []byte) bool {
	var hops forwardedHops
	if !hops.read(value) {
		return true
	}
	for i := hops.count - 1; i >= max(0, hops.count-maxHops); i-- {
		c.element = hops.elements[i%maxHops]
		addr, ok := parseNode(c.element.node)
		if !ok {
			return true
		}
		if c.addr = addr; !e.Trusts(addr) {
			return true
		}
	}
	return hops.count > maxHops
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
