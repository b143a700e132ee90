package exchange

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// maxHops limits how many elements of a Forwarded field are examined, counted from the end.
const maxHops = 16

// forwardedElement holds pairs of one element of a Forwarded field (RFC 7239), including quotes. A missing pair is empty.
type forwardedElement struct{ node, host, proto []byte } // node is the value of "for"

// set sets the pair with a name. It returns false if the pair is repeated. It ignores other names.
func (e *forwardedElement) set(name, value []byte) bool {
	var pair *[]byte
	switch {
	case http1.EqualFold(name, "for"):
		pair = &e.node
	case http1.EqualFold(name, "host"):
		pair = &e.host
	case http1.EqualFold(name, "proto"):
		pair = &e.proto
	default:
		return true
	}
	isFirst := *pair == nil
	*pair = value
	return isFirst
}

// forwardedHops are the elements of a Forwarded field.
type forwardedHops struct {
	elements [maxHops]forwardedElement // the last maxHops elements: element i is at i % maxHops
	count    int
}

// read parses a field value. It parses from the start, because quotes cannot be recognized from the end. It returns false if
// the value does not match the grammar of RFC 7239 section 4. It accepts spaces around semicolons, which the grammar does not
// allow.
func (h *forwardedHops) read(value []byte) bool {
	for {
		element, rest, ok := readElement(value)
		if !ok {
			return false
		}
		if !isBlank(value[:len(value)-len(rest)]) {
			h.elements[h.count%maxHops] = element
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
func readElement(value []byte) (element forwardedElement, rest []byte, ok bool) {
	for rest = trimLeft(value); len(rest) > 0 && rest[0] != ','; {
		if rest[0] == ';' {
			rest = trimLeft(rest[1:])
			continue
		}
		var name, text []byte
		if name, text, rest, ok = readPair(rest); !ok || !element.set(name, text) {
			return forwardedElement{}, nil, false
		}
	}
	return element, rest, true
}

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

// unquote removes the quotes of a quoted-string. It does not decode escapes.
func unquote(text []byte) []byte {
	if len(text) > 1 && text[0] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}

func trimLeft(b []byte) []byte { return bytes.TrimLeft(b, " \t") }

// parseNode parses the address of a node (RFC 7239 section 6) with an optional port. IPv6 addresses are in brackets.
// "unknown" and obfuscated names are not addresses.
func parseNode(node []byte) (netip.Addr, bool) {
	host, port, bracketed := cutNode(unquote(node))
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
