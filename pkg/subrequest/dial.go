package subrequest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/filter"
)

// maxDials bounds the endpoints or addresses that are tried for one connection.
const maxDials = 3

// endpointsKey is the key of the endpoints in the context of a request.
type endpointsKey struct{}

func withEndpoints(ctx context.Context, endpoints filter.Endpoints) context.Context {
	return context.WithValue(ctx, endpointsKey{}, endpoints)
}

// endpointConn is a connection with the address as endpoints have it.
type endpointConn struct {
	net.Conn
	address string
}

// dialledAddress returns the address of the endpoint of a connection, which may be inside a TLS connection.
func dialledAddress(conn net.Conn) string {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if e, ok := conn.(*endpointConn); ok {
		return e.address
	}
	return ""
}

// dial opens a connection to an endpoint of the request, or to the name in address.
func (c *Client) dial(ctx context.Context, _, address string) (net.Conn, error) {
	endpoints, _ := ctx.Value(endpointsKey{}).(filter.Endpoints)
	if endpoints == nil {
		return c.dialName(ctx, address)
	}
	err := filter.ErrNoEndpoint
	for range maxDials {
		at, ok := endpoints.PickAddress()
		if !ok {
			return nil, filter.ErrNoEndpoint
		}
		conn, dialErr := c.dialEndpoint(ctx, at)
		if dialErr == nil {
			return &endpointConn{conn, at}, nil
		}
		err = dialErr
	}
	return nil, err
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
