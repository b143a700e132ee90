package affinity

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/model"
)

// valueSource is the part of a request that a method reads.
type valueSource uint8

const (
	sourceCookie valueSource = iota + 1
	sourceHeader
	sourceQuery
	sourcePath
	sourceAddress
	sourceComposite
	// The following are sources of parts only.
	sourceHost
	sourceRequestPath
	sourceURI
	sourceMethod
	sourceCertificate
)

// Limits for reading values in one request for one method. Values beyond the limits are ignored. There is no smaller
// limit for cookies of one name: a page of a sibling domain can set as many as browsers store, and they come first.
const (
	// maxValue is the maximum length of a value, and maxTotal the maximum total length, in bytes. Longer values are
	// skipped.
	maxValue = 4096
	maxTotal = 64 << 10
	// maxPairs is the maximum number of cookies or parameters, of any name. Browsers store fewer than 200 cookies for
	// a site.
	maxPairs = 512
)

// valueReader iterates over the values of one method in one request.
type valueReader struct {
	method *method
	req    Request
	state  *ConnState // buffers for decoded values
	count  int        // values returned so far
	total  int        // total length of those values in bytes
	pairs  int        // cookies or parameters read so far
	field  int        // Cookie fields started, or header names read, so far
	rest   []byte

	generated bool // the last value has the generated name of the method
}

// next returns the next non-empty value, or nil after the last one. The value is valid until the next call.
func (v *valueReader) next() []byte {
	for v.total <= maxTotal {
		value := v.find()
		v.count++
		if len(value) <= maxValue {
			v.total += len(value)
			return value
		}
	}
	return nil
}

func (v *valueReader) find() []byte {
	switch v.method.source {
	case sourceCookie:
		return v.cookie()
	case sourceHeader:
		return v.header()
	}
	if v.count > 0 {
		return nil
	}
	switch v.method.source {
	case sourceQuery:
		return v.parameter()
	case sourcePath:
		return segment(v.req.Path(), v.method.index)
	case sourceAddress:
		return v.address()
	case sourceHost:
		return v.req.Host()
	case sourceRequestPath, sourceURI: // hashURI adds the query
		return v.req.Path()
	case sourceMethod:
		return v.req.Method()
	case sourceCertificate:
		return v.req.ClientCertificate()
	default:
		return nil
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
		if value := v.named(pair); len(value) > 0 {
			v.pairs++
			return value
		}
	}
	return nil
}

// named returns the value of a cookie if it has a name of the method, otherwise nil.
func (v *valueReader) named(pair []byte) []byte {
	value, ok := cookieValue(pair, v.method.name)
	if v.generated = false; ok || v.method.generated.name == "" {
		return value
	}
	value, v.generated = cookieValue(pair, v.method.generated.name)
	return value
}

func (v *valueReader) header() []byte {
	for v.field < 2 {
		name := v.method.name
		if v.generated = v.field == 1; v.generated {
			name = v.method.generated.name
		}
		v.field++
		if name == "" {
			return nil
		}
		if value, ok := v.req.Header(name); ok && len(value) > 0 {
			return value
		}
	}
	return nil
}

func (v *valueReader) address() []byte {
	return network(v.req.ClientIP(), v.method.bits4, v.method.bits6, &v.state.addr)
}

// network returns the network prefix of ip, stored in buf. It is 4 bytes for IPv4 and IPv4-mapped IPv6, 16 bytes for
// IPv6, and nil for an invalid address.
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

// hashOfNetwork returns the hash of the client network where no method configures prefix lengths. It uses full IPv4
// addresses and /64 prefixes of IPv6, because hosts change their address within that prefix (RFC 8981).
func hashOfNetwork(req Request) uint64 {
	var buf [16]byte
	return model.Hash(network(req.ClientIP(), 32, 64, &buf))
}
