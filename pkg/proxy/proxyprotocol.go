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

// Lengths of a header of the PROXY protocol (https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt sections 2.1
// and 2.2).
const (
	maxProxyV1        = 107     // of version 1
	proxyV2HeadLength = 16      // of version 2, with the length of the rest
	maxProxyV2Rest    = 4 << 10 // of version 2: addresses, and what may follow them, such as a certificate
	minProxyHeader    = 15      // "PROXY UNKNOWN\r\n", and less than what any version 2 has
)

var errProxyHeader = errors.New("header of the PROXY protocol is too long, or is none")

// learnOrigin reads the header that a load balancer of the PROXY protocol sends first, and takes the addresses it tells
// for those of the connection. It returns false if the connection is of no use. The peers that are load balancers
// always send one: were it optional, their clients could send their own.
func (c *client) acceptProxyHeader() bool {
	if !slices.ContainsFunc(c.server.options.ProxyProtocol, func(p netip.Prefix) bool { return p.Contains(c.Peer) }) {
		return true
	}
	c.guard.Start(c.raw, c.server.After(c.server.Timeouts.Head))
	c.idleSince.Store(c.server.Clock())
	header, err := readProxyHeader(c.raw)
	c.idleSince.Store(0)
	switch {
	case err == io.EOF: // a check of health that connects and closes
		c.guard.Stop()
		return false
	case c.guard.Stop() || err != nil:
		c.server.Metrics.Refused(observe.RefusedProxyHeader)
		c.server.Log.V(1).Info("Connection without a header of the PROXY protocol", "peer", c.PeerText, "reason", err)
		return false
	}
	if !header.Command.IsLocal() { // else the load balancer speaks for itself
		c.setOrigin(header.SourceAddr, header.DestinationAddr)
	}
	return true
}

// take makes the connection that of another client. Of what is not TCP the protocol tells nothing that is of use.
func (c *client) setOrigin(source, destination net.Addr) {
	from, ok := source.(*net.TCPAddr)
	to, both := destination.(*net.TCPAddr)
	if ok && both {
		c.SetAddresses(from.AddrPort(), to.AddrPort())
	}
}

// readProxyHeader reads the header and not a byte more: what follows may be TLS, which reads the socket itself. It
// returns io.EOF if nothing came.
func readProxyHeader(r io.Reader) (*proxyproto.Header, error) {
	space := make([]byte, proxyV2HeadLength+maxProxyV2Rest)
	n, err := readProxyBytes(r, space)
	if err != nil {
		return nil, err
	}
	return proxyproto.Read(bufio.NewReader(bytes.NewReader(space[:n])))
}

func readProxyBytes(r io.Reader, space []byte) (int, error) {
	if n, err := io.ReadFull(r, space[:minProxyHeader]); err != nil {
		if n == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, io.EOF // or a reset
		}
		return 0, unexpectedEOF(err)
	}
	switch {
	case bytes.HasPrefix(space, proxyproto.SIGV1):
		return readProxyV1(r, space)
	case bytes.HasPrefix(space, proxyproto.SIGV2):
		return readProxyV2(r, space)
	}
	return 0, errProxyHeader
}

// readProxyLine reads the rest of version 1, whose end is only known when it is there.
func readProxyV1(r io.Reader, space []byte) (int, error) {
	for n := minProxyHeader; n <= maxProxyV1; n++ {
		if space[n-1] == '\n' {
			return n, nil
		}
		if _, err := io.ReadFull(r, space[n:n+1]); err != nil {
			return 0, unexpectedEOF(err)
		}
	}
	return 0, errProxyHeader
}

func readProxyV2(r io.Reader, space []byte) (int, error) {
	if _, err := io.ReadFull(r, space[minProxyHeader:proxyV2HeadLength]); err != nil {
		return 0, unexpectedEOF(err)
	}
	length := int(binary.BigEndian.Uint16(space[proxyV2HeadLength-2:]))
	if length > maxProxyV2Rest {
		return 0, errProxyHeader
	}
	end := proxyV2HeadLength + length
	if _, err := io.ReadFull(r, space[proxyV2HeadLength:end]); err != nil {
		return 0, unexpectedEOF(err)
	}
	return end, nil
}

// notEOF is for the end within a header.
func unexpectedEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
