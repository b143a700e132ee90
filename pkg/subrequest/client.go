package subrequest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

const (
	// maxActive bounds the concurrent requests, and with them the connections in use. One namespace may have half of them for one
	// purpose.
	maxActive = 2048
	// maxIdle and maxIdlePerHost bound the connections that are kept.
	maxIdle, maxIdlePerHost = 512, 64
	// idleTimeout is shorter than the 60 s after which many servers close idle connections.
	idleTimeout = 50 * time.Second
	// maxHeadBytes bounds the head of a response.
	maxHeadBytes = 64 << 10
	// maxDiscard is the longest body that is read so that its connection can be used again.
	maxDiscard = 64 << 10
	// connectTimeout bounds connecting and the TLS handshake, each.
	connectTimeout = 5 * time.Second
)

// Options configure a Client. The zero value is valid.
type Options struct {
	// Self are the addresses of Limpet itself, to which no request is sent. Nil means that they are not known.
	Self *upstream.SelfAddresses
	// Roots are the certificate authorities of servers. Nil means those of the system.
	Roots *x509.CertPool
	// Count is called with the purpose of each request and its result: ok or failed. Nil counts nothing.
	Count func(purpose, result string)
}

// Client implements filter.Subrequester.
type Client struct {
	self      *upstream.SelfAddresses
	transport http.Transport
	roots     *x509.CertPool // nil: those of the system
	permits   *permits
	names     nameCache
	cancel    context.CancelFunc // cancels running requests
	running   context.Context
	count     func(purpose, result string)
	// isAllowed decides whether a resolved address may be dialled. Tests replace it.
	isAllowed func(address string) error
}

// New returns a Client. Close must be called at the end.
func New(o Options) *Client {
	c := &Client{self: o.Self, permits: newPermits(maxActive), count: o.Count, roots: o.Roots}
	if c.count == nil {
		c.count = func(string, string) {}
	}
	c.names.lookup = lookup
	c.isAllowed = c.self.CheckResolved
	c.running, c.cancel = context.WithCancel(context.Background())
	c.transport = http.Transport{
		DialContext:        c.dial,
		DialTLSContext:     c.dialTLS,
		DisableCompression: true, // bodies are passed on as they are
		MaxIdleConns:       maxIdle, MaxIdleConnsPerHost: maxIdlePerHost,
		IdleConnTimeout: idleTimeout, MaxResponseHeaderBytes: maxHeadBytes,
	}
	return c
}

// Close cancels running requests, and closes all connections. Later requests fail.
func (c *Client) Close() {
	c.cancel()
	c.transport.CloseIdleConnections()
}

// Do implements filter.Subrequester.
func (c *Client) Do(s *filter.Subrequest) (*filter.Subresponse, error) {
	resp, err := c.do(s)
	if err != nil {
		c.count(s.Purpose, "failed")
		return nil, err
	}
	c.count(s.Purpose, "ok")
	return resp, nil
}

func (c *Client) do(s *filter.Subrequest) (*filter.Subresponse, error) {
	ctx, cancel := context.WithTimeout(withDestination(c.running, destination{s.Endpoints, s.AuthorityPEM}), s.Timeout)
	owner := permitOwner{s.Namespace, s.Purpose}
	if !c.permits.acquire(ctx, owner) {
		cancel()
		return nil, filter.ErrNoPermit
	}
	end := func() { c.permits.release(owner); cancel() }
	resp, err := c.send(ctx, s)
	if err != nil {
		end()
		return nil, fmt.Errorf("subrequest: %w", err)
	}
	out := &filter.Subresponse{Status: resp.StatusCode, Header: resp.Header}
	if s.MaxBody == 0 {
		c.discard(resp.Body, end)
		return out, nil
	}
	defer end()
	defer resp.Body.Close()
	if out.Body, err = readBody(resp.Body, s.MaxBody); err != nil {
		return nil, fmt.Errorf("subrequest: the body of the response: %w", err)
	}
	return out, nil
}

func (c *Client) send(ctx context.Context, s *filter.Subrequest) (*http.Response, error) {
	req, err := newRequest(ctx, s)
	if err != nil {
		return nil, err
	}
	return c.transport.RoundTrip(req)
}

var errBodyTooLarge = errors.New("it is too large")

func readBody(body io.Reader, most int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, int64(most)+1))
	if err == nil && len(b) > most {
		err = errBodyTooLarge
	}
	return b, err
}

// discard reads a body that the caller does not need, so that the connection can be used again. It does not make the caller
// wait for a slow body.
func (c *Client) discard(body io.ReadCloser, end func()) {
	if body == http.NoBody {
		end()
		return
	}
	go func() {
		defer end()
		defer body.Close()
		_, _ = io.CopyN(io.Discard, body, maxDiscard) // an error only means that the connection is not reused
	}()
}

// newRequest returns the request in the form of net/http.
func newRequest(ctx context.Context, s *filter.Subrequest) (*http.Request, error) {
	ctx = httptrace.WithClientTrace(ctx, traceOf(destination{s.Endpoints, s.AuthorityPEM}))
	req, err := http.NewRequestWithContext(ctx, s.Method, s.URL, bodyReader(s.Body))
	switch {
	case err != nil:
		return nil, err
	case req.URL.Scheme != "http" && req.URL.Scheme != "https", req.URL.Host == "", req.URL.User != nil:
		return nil, errors.New("the URL must have scheme http or https and a host, and no user")
	}
	if s.Header != nil {
		req.Header = s.Header
	}
	if _, isSet := req.Header["User-Agent"]; !isSet {
		req.Header["User-Agent"] = []string{""} // net/http would set its own
	}
	if s.Host != "" {
		req.Host = s.Host
	}
	return req, nil
}

// traceOf returns a trace that closes a kept connection to a pod that no longer is an endpoint, or to a server that other CAs
// have verified. net/http then sends the request over another connection.
func traceOf(s destination) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.Reused && !s.owns(info.Conn) {
			info.Conn.Close()
		}
	}}
}

var _ filter.Subrequester = (*Client)(nil)
