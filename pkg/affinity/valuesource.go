package affinity

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/model"
)

// source is where a method looks.
type valueSource uint8

const (
	sourceCookie valueSource = iota + 1
	sourceHeader
	sourceQuery
	sourcePath
	sourceAddress
)

// What is looked at in one request for one method. Whatever is beyond recognizes nobody.
const (
	// maxValues bounds the values of one source, such as cookies of one name.
	maxValues = 8
	// maxValue bounds a value, and maxTotal all of them together, in bytes.
	maxValue = 4096
	maxTotal = 2 * maxValue
	// maxPairs bounds the cookies, or the parameters, of any name. Browsers have less than 200 cookies for a site.
	maxPairs = 512
)

// values walks over what one method's source finds in one request.
type valueReader struct {
	method *method
	req    Request
	state  *ConnState // where a value is decoded
	count  int        // values given so far
	total  int        // their length in bytes
	pairs  int        // cookies or parameters looked at so far
	field  int        // Cookie fields begun so far
	rest   []byte
}

// next gives the next value that is not empty, nil past the last. It may be overwritten by the next call.
func (v *valueReader) next() []byte {
	for v.count < maxValues && v.total <= maxTotal {
		value := v.find()
		v.count++
		v.total += len(value)
		if len(value) <= maxValue {
			return value
		}
	}
	return nil
}

func (v *valueReader) find() []byte {
	if v.method.source == sourceCookie {
		return v.cookie()
	}
	if v.count > 0 {
		return nil
	}
	switch v.method.source {
	case sourceHeader:
		return v.header()
	case sourceQuery:
		return v.parameter()
	case sourcePath:
		return segment(v.req.Path(), v.method.index)
	default:
		return v.address()
	}
}

func (v *valueReader) cookie() []byte {
	for ; v.pairs < maxPairs; v.pairs++ {
		if len(v.rest) == 0 {
			if v.rest = v.req.CookieHeader(v.field); v.rest == nil {
				return nil
			}
			v.field++
		}
		var pair []byte
		pair, v.rest = cutPair(v.rest)
		if value, ok := cookieValue(pair, v.method.name); ok && len(value) > 0 {
			v.pairs++
			return value
		}
	}
	return nil
}

func (v *valueReader) header() []byte {
	value, ok := v.req.Header(v.method.name)
	if !ok || len(value) == 0 {
		return nil
	}
	return value
}

func (v *valueReader) address() []byte {
	return network(v.req.ClientIP(), v.method.bits4, v.method.bits6, &v.state.addr)
}

// network writes the network part of an address into buf and gives it: 4 bytes for IPv4, also where it came mapped
// into IPv6, 16 for IPv6, nil for an address that is not valid.
func network(ip netip.Addr, bits4, bits6 int, buf *[16]byte) []byte {
	ip = ip.Unmap()
	bits := bits6
	if ip.Is4() {
		bits = bits4
	}
	prefix, err := ip.Prefix(bits)
	if err != nil || !ip.IsValid() {
		return nil
	}
	if !ip.Is4() {
		*buf = prefix.Addr().As16()
		return buf[:]
	}
	four := prefix.Addr().As4()
	return buf[:copy(buf[:], four[:])]
}

// hashOfNetwork places clients by address where no method says how much of it counts: all of IPv4, the /64 of IPv6,
// within which hosts change their address as they please (RFC 8981).
func hashOfNetwork(req Request) uint64 {
	var buf [16]byte
	return model.Hash(network(req.ClientIP(), 32, 64, &buf))
}
