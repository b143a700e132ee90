package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"

	"github.com/pires/go-proxyproto"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// Sizes of a PROXY protocol header, in bytes (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt sections 2.1
// and 2.2).
const (
	maxProxyV1        = 107     // maximum size of version 1
	proxyV2HeadLength = 16      // fixed part of version 2, which ends with the length of the rest
	maxProxyV2Rest    = 4 << 10 // addresses and TLVs of version 2; a TLV may hold a certificate
	minProxyHeader    = 15      // "PROXY UNKNOWN\r\n"; every version 2 header is longer
)

var errProxyHeader = errors.New("proxy: PROXY protocol header is missing or too long")

// acceptProxyHeader reads the PROXY protocol header if the peer must send one, and replaces the addresses of the connection by
// those in the header. It also records whether the client used TLS to the load balancer. It returns false if the header is
// missing or invalid. The header is mandatory for these peers: if it were optional, a client behind the load balancer could
// forge one.
func (c *client) acceptProxyHeader() bool {
	if !slices.ContainsFunc(c.server.options.ProxyProtocol, func(p netip.Prefix) bool { return p.Contains(c.Peer) }) {
		return true
	}
	c.guard.Start(c.raw, c.server.After(c.server.Timeouts.Head))
	c.idleSince.Store(c.server.Clock())
	header, err := readProxyHeader(c.raw)
	c.idleSince.Store(0)
	switch {
	case err == io.EOF: // a health check that connects and closes
		c.guard.Stop()
		return false
	case c.guard.Stop() || err != nil:
		c.server.Metrics.Refused(observe.RefusedProxyHeader)
		c.server.Log.V(1).Info("Connection refused: invalid PROXY protocol header", "peer", c.PeerText, "reason", err)
		return false
	}
	if !header.Command.IsLocal() { // LOCAL: the load balancer itself is the client
		c.setOrigin(header.SourceAddr, header.DestinationAddr)
		c.BalancerTLS = reportsTLS(header)
	}
	return true
}

// setOrigin replaces the addresses of the connection. It ignores addresses of other protocols than TCP.
func (c *client) setOrigin(source, destination net.Addr) {
	from, ok := source.(*net.TCPAddr)
	to, both := destination.(*net.TCPAddr)
	if ok && both {
		c.SetAddresses(from.AddrPort(), to.AddrPort())
	}
}

// Fields of a TLV about TLS (section 2.2.5): a bit set, and a verification result of 4 bytes. The client certificate that the
// load balancer may have verified is ignored, because hosts name the CAs that they trust.
const (
	minTLSInfo = 5
	clientTLS  = 0x01 // the client used TLS
)

// reportsTLS reports whether the client used TLS to the load balancer. Only version 2 may state that. A list of TLVs that is
// malformed states nothing.
func reportsTLS(header *proxyproto.Header) bool {
	tlvs, err := header.TLVs()
	if err != nil {
		return false
	}
	for _, tlv := range tlvs {
		if tlv.Type == proxyproto.PP2_TYPE_SSL {
			return len(tlv.Value) >= minTLSInfo && tlv.Value[0]&clientTLS != 0
		}
	}
	return false
}

// readProxyHeader reads exactly the header, because TLS may read the rest from the socket itself. It returns io.EOF if the
// connection ends before the first byte.
func readProxyHeader(r io.Reader) (*proxyproto.Header, error) {
	buf := make([]byte, proxyV2HeadLength+maxProxyV2Rest)
	n, err := readProxyBytes(r, buf)
	if err != nil {
		return nil, err
	}
	return proxyproto.Read(bufio.NewReader(bytes.NewReader(buf[:n])))
}

// readProxyBytes reads the bytes of a header of either version into buf and returns their number.
func readProxyBytes(r io.Reader, buf []byte) (int, error) {
	if n, err := io.ReadFull(r, buf[:minProxyHeader]); err != nil {
		if n == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, io.EOF // end of the connection, or a reset
		}
		return 0, unexpectedEOF(err)
	}
	switch {
	case bytes.HasPrefix(buf, proxyproto.SIGV1):
		return readProxyV1(r, buf)
	case bytes.HasPrefix(buf, proxyproto.SIGV2):
		return readProxyV2(r, buf)
	}
	return 0, errProxyHeader
}

// readProxyV1 reads the rest of a version 1 header byte by byte, because only its final line feed marks its end.
func readProxyV1(r io.Reader, buf []byte) (int, error) {
	for n := minProxyHeader; n <= maxProxyV1; n++ {
		if buf[n-1] == '\n' {
			return n, nil
		}
		if _, err := io.ReadFull(r, buf[n:n+1]); err != nil {
			return 0, unexpectedEOF(err)
		}
	}
	return 0, errProxyHeader
}

// readProxyV2 reads the rest of a version 2 header.
func readProxyV2(r io.Reader, buf []byte) (int, error) {
	if _, err := io.ReadFull(r, buf[minProxyHeader:proxyV2HeadLength]); err != nil {
		return 0, unexpectedEOF(err)
	}
	length := int(binary.BigEndian.Uint16(buf[proxyV2HeadLength-2:]))
	if length > maxProxyV2Rest {
		return 0, errProxyHeader
	}
	end := proxyV2HeadLength + length
	if _, err := io.ReadFull(r, buf[proxyV2HeadLength:end]); err != nil {
		return 0, unexpectedEOF(err)
	}
	return end, nil
}

// unexpectedEOF replaces io.EOF by io.ErrUnexpectedEOF, for the end of a connection within a header.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
