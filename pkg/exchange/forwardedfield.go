package exchange

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// maxHops limits how many elements of a Forwarded field are examined, counted from the end.
const maxHops = 16

// forwardedHops are the "for" values of a Forwarded field (RFC 7239), including quotes. An element without a "for" pair
// counts as an empty value.
type forwardedHops struct {
	nodes [maxHops][]byte // the last maxHops values: value i is at i % maxHops
	count int
}

// read parses a field value. It parses from the start, because quotes cannot be recognized from the end. It returns false if
// the value does not match the grammar of RFC 7239 section 4. It accepts spaces around semicolons, which the grammar does not
// allow.
func (h *forwardedHops) read(value []byte) bool {
	for {
		node, rest, ok := readElement(value)
		if !ok {
			return false
		}
		if len(value) > len(rest) && !isBlank(value[:len(value)-len(rest)]) {
			h.nodes[h.count%maxHops] = node
			h.count++
		}
		if len(rest) == 0 {
			return true
		}
		value = rest[1:] // the comma
	}
}

func isBlank(b []byte) bool { return len(bytes.Trim(b, " \t")) == 0 }

// readElement parses up to the next comma or the end.
func readElement(value []byte) (node, rest []byte, ok bool) {
	hasNode := false
	for rest = trimLeft(value); len(rest) > 0 && rest[0] != ','; {
		if rest[0] == ';' {
			rest = trimLeft(rest[1:])
			continue
		}
		var name, text []byte
		if name, text, rest, ok = readPair(rest); !ok {
			return nil, nil, false
		}
		if bytes.EqualFold(name, forName) {
			if hasNode {
				return nil, nil, false
			}
			node, hasNode = text, true
		}
	}
	return node, rest, true
}

var forName = []byte("for")

// readPair parses token "=" value. rest starts with a semicolon or a comma, or is empty.
func readPair(b []byte) (name, text, rest []byte, ok bool) {
	equals := bytes.IndexByte(b, '=')
	if equals < 0 || !http1.IsToken(b[:equals]) {
		return nil, nil, nil, false
	}
	name, rest = b[:equals], b[equals+1:]
	if len(rest) > 0 && rest[0] == '"' {
		text, rest, ok = readQuoted(rest)
	} else {
		end := bytes.IndexAny(rest, ";, \t")
		if end < 0 {
			end = len(rest)
		}
		text, rest = rest[:end], rest[end:]
		ok = http1.IsToken(text)
	}
	rest = trimLeft(rest)
	return name, text, rest, ok && (len(rest) == 0 || rest[0] == ';' || rest[0] == ',')
}

// readQuoted parses a quoted-string (RFC 9110 section 5.6.4). Escapes are not decoded: addresses contain none.
func readQuoted(b []byte) (text, rest []byte, ok bool) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return b[:i+1], b[i+1:], true
		}
	}
	return nil, nil, false
}

func trimLeft(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// parseNode parses the address of a node (RFC 7239 section 6) with an optional port. IPv6 addresses are in brackets.
// "unknown" and obfuscated names are not addresses.
func parseNode(node []byte) (netip.Addr, bool) {
	if len(node) > 1 && node[0] == '"' {
		node = node[1 : len(node)-1]
	}
	host, port, bracketed := cutNode(node)
	if len(host) > 45 || bytes.IndexByte(host, '%') >= 0 || !isNodePort(port) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(string(host))
	return addr.Unmap(), err == nil && addr.Is6() == bracketed
}

func cutNode(node []byte) (host, port []byte, bracketed bool) {
	end := -1
	if len(node) > 0 && node[0] == '[' {
		end = bytes.IndexByte(node, ']')
	}
	if end > 0 {
		return node[1:end], node[end+1:], true
	}
	host, port, found := bytes.Cut(node, colon)
	if found {
		port = node[len(host):]
	}
	return host, port, false
}

// isNodePort reports whether b is empty, or ":" and a port. The port is decimal or obfuscated.
func isNodePort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b = b[1:]; len(b) > 1 && b[0] == '_' {
		return http1.IsToken(b)
	}
	_, err := strconv.ParseUint(string(b), 10, 16)
	return err == nil
}

var colon = []byte(":")
