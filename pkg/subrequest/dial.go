package subrequest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/filter"
)

// maxDials bounds the endpoints or addresses that are tried for one connection.
const maxDials = 3

// destination is where a request is sent, apart from its URL.
type destination struct {
	endpoints    filter.Endpoints // nil: the addresses of the name
	authorityPEM string           // empty: the CAs of the Client
}

// destinationKey is the key of the destination in the context of a request.
type destinationKey struct{}

func withDestination(ctx context.Context, s destination) context.Context {
	return context.WithValue(ctx, destinationKey{}, s)
}

// destinationConn is a connection with the address as endpoints have it, or without one for a resolved name.
type destinationConn struct {
	net.Conn
	address      string
	authorityPEM string
}

// owns reports whether a connection leads to s.
func (s destination) owns(conn net.Conn) bool {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	to, ok := conn.(*destinationConn)
	if !ok || to.authorityPEM != s.authorityPEM {
		return false
	}
	if s.endpoints == nil {
		return to.address == ""
	}
	return s.endpoints.HasAddress(to.address)
}

// dial opens a connection to an endpoint of the request, or to the name in address.
func (c *Client) dial(ctx context.Context, _, address string) (net.Conn, error) {
	s, _ := ctx.Value(destinationKey{}).(destination)
	if s.endpoints == nil {
		conn, err := c.dialName(ctx, address)
		if err != nil {
			return nil, err
		}
		return &destinationConn{conn, "", s.authorityPEM}, nil
	}
	err := filter.ErrNoEndpoint
	for range maxDials {
		at, ok := s.endpoints.PickAddress()
		if !ok {
			return nil, filter.ErrNoEndpoint
		}
		conn, dialErr := c.dialEndpoint(ctx, at)
		if dialErr == nil {
			return &destinationConn{conn, at, s.authorityPEM}, nil
		}
		err = dialErr
	}
	return nil, err
}

// dialTLS opens a connection and verifies its server. A certificate must be valid for the name in address.
func (c *Client) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s, _ := ctx.Value(destinationKey{}).(destination)
	config := &tls.Config{RootCAs: c.roots, ServerName: name, MinVersion: tls.VersionTLS12}
	if s.authorityPEM != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(s.authorityPEM)) // without any, no server is verified
	}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// dialEndpoint opens a connection to an endpoint. The endpoint of a Service of type ExternalName has a name.
func (c *Client) dialEndpoint(ctx context.Context, address string) (net.Conn, error) {
	if _, err := netip.ParseAddrPort(address); err != nil {
		return c.dialName(ctx, address)
	}
	if err := c.self.CheckEndpoint(address); err != nil {
		return nil, err
	}
	return dialTCP(ctx, address)
}

var errNoAddress = errors.New("the name has no address")

// dialName opens a connection to a name or an address that is no endpoint. Each address is checked right before it is used.
func (c *Client) dialName(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs, err := c.names.get(ctx, host)
	if err != nil {
		return nil, err
	}
	err = errNoAddress
	for _, addr := range addrs[:min(len(addrs), maxDials)] {
		at := net.JoinHostPort(addr.String(), port)
		if err = c.isAllowed(at); err != nil {
			continue
		}
		var conn net.Conn
		if conn, err = dialTCP(ctx, at); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout}
	return d.DialContext(ctx, "tcp", address)
}

func bodyReader(body []byte) io.Reader {
	if len(body) == 0 {
		return nil
	}
	return bytes.NewReader(body)
}
