package exchange

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// appendForwarded appends the fields that describe the client. All of them state the same, as decideOrigin has decided.
// X-Forwarded-For and Forwarded list the same hops: those of the field in which a trusted proxy named the client, then the
// peer. All other values that the request had in these fields are dropped.
func (h *podHead) appendForwarded(b []byte) []byte {
	o := &h.view.Origin
	b = append(b, "X-Forwarded-For: "...)
	if h.view.Source == http1.FieldXForwardedFor {
		b = h.appendList(b, http1.FieldXForwardedFor)
	} else {
		b = h.appendHops(b, appendAddress)
	}
	b = append(b, h.PeerText...)
	b = append(b, "\r\nX-Real-IP: "...)
	b = h.appendClient(b)
	b = append(b, "\r\nX-Forwarded-Proto: "...)
	b = append(b, o.Scheme()...)
	b = append(b, "\r\nX-Forwarded-Host: "...)
	b = append(b, o.Authority...)
	b = append(b, "\r\nX-Forwarded-Port: "...)
	b = strconv.AppendUint(b, uint64(o.Port), 10)
	b = append(b, "\r\nX-Request-ID: "...)
	b = append(b, h.view.ID()...)
	if len(h.view.ForwardPrefix) > 0 {
		b = append(b, "\r\nX-Forwarded-Prefix: "...)
		b = append(b, h.view.ForwardPrefix...)
	}
	return h.appendIdentity(h.appendForwardedField(b))
}

// appendForwardedField appends the Forwarded field (RFC 7239). Only its first element has a host and a scheme, so readers of
// the first and of the last one agree.
func (h *podHead) appendForwardedField(b []byte) []byte {
	b = append(b, "\r\nForwarded: "...)
	start := len(b)
	b = h.appendHops(b, h.appendElement)
	first := len(b) == start
	if h.Peer.Is6() {
		b = append(b, `for="[`...)
		b = append(b, h.PeerText...)
		b = append(b, `]"`...)
	} else {
		b = append(b, "for="...)
		b = append(b, h.PeerText...)
	}
	if first {
		b = h.appendClientPairs(b)
	}
	return append(b, "\r\n"...)
}

// appendClientPairs appends the pairs that describe the request of the client.
func (h *podHead) appendClientPairs(b []byte) []byte {
	b = append(b, `;host="`...)
	b = append(b, h.view.Authority...) // a valid host contains neither quotes nor backslashes
	b = append(b, `";proto=`...)
	return append(b, h.view.Scheme()...)
}

// hopAppender appends one hop and a comma. addr is not valid if the hop is unknown. first is set for the first hop.
type hopAppender func(b []byte, addr netip.Addr, first bool) []byte

// appendAddress is the hopAppender for X-Forwarded-For.
func appendAddress(b []byte, addr netip.Addr, _ bool) []byte {
	if !addr.IsValid() {
		return append(b, "unknown, "...)
	}
	return append(addr.AppendTo(b), ", "...)
}

// appendElement is the hopAppender for Forwarded.
func (h *podHead) appendElement(b []byte, addr netip.Addr, first bool) []byte {
	switch {
	case !addr.IsValid():
		b = append(b, "for=unknown"...)
	case addr.Is6():
		b = append(addr.AppendTo(append(b, `for="[`...)), `]"`...)
	default:
		b = addr.AppendTo(append(b, "for="...))
	}
	if first {
		b = h.appendClientPairs(b)
	}
	return append(b, ", "...)
}

// appendHops appends the hops in front of the peer.
func (h *podHead) appendHops(b []byte, one hopAppender) []byte {
	switch h.view.Source {
	case http1.FieldXRealIP:
		if h.view.ClientIP == h.Peer {
			return b
		}
		return one(b, h.view.ClientIP, true)
	case http1.FieldXForwardedFor, http1.FieldForwarded:
		return h.appendFieldHops(b, one)
	}
	return b
}

// appendFieldHops appends the hops in the fields in which the client was named.
func (h *podHead) appendFieldHops(b []byte, one hopAppender) []byte {
	start := len(b)
	for i := range h.req.Fields {
		f := &h.req.Fields[i]
		if f.ID != h.view.Source || !isList(f) {
			continue
		}
		for value := f.Value; len(value) > 0; {
			var addr netip.Addr
			var some bool
			if addr, some, value = nextHop(value, f.ID); some {
				b = one(b, addr, len(b) == start)
			}
		}
	}
	return b
}

// nextHop returns the address of the first element of a list, and the rest of the list. The address is not valid if the
// element names no address. some is false for an empty element.
func nextHop(list []byte, id http1.FieldID) (addr netip.Addr, some bool, rest []byte) {
	if id == http1.FieldForwarded {
		element, after, _ := readElement(list) // isList has checked the syntax
		if !isBlank(list[:len(list)-len(after)]) {
			addr, some = nodeAddress(element.node), true
		}
		return addr, some, after[min(1, len(after)):]
	}
	text, rest, _ := bytes.Cut(list, comma)
	if text = bytes.Trim(text, " \t"); len(text) == 0 {
		return netip.Addr{}, false, rest
	}
	if a, ok := parseAddress(text); ok {
		addr = a
	}
	return addr, true, rest
}

func nodeAddress(node []byte) netip.Addr {
	addr, ok := parseNode(node)
	if !ok {
		return netip.Addr{}
	}
	return addr
}

var comma = []byte(",")

// appendList appends the values of a list field, followed by a comma.
func (h *podHead) appendList(b []byte, id http1.FieldID) []byte {
	for i := range h.req.Fields {
		if f := &h.req.Fields[i]; f.ID == id && isList(f) {
			b = append(b, f.Value...)
			b = append(b, ", "...)
		}
	}
	return b
}

// isList reports whether the elements of f can be read.
func isList(f *http1.Field) bool {
	var hops forwardedHops
	return len(f.Value) > 0 && (f.ID != http1.FieldForwarded || hops.read(f.Value))
}

func (h *podHead) appendClient(b []byte) []byte {
	if h.view.ClientIP == h.Peer {
		return append(b, h.PeerText...)
	}
	return h.view.ClientIP.AppendTo(b)
}
