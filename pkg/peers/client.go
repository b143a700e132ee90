package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// timeout bounds a request to one replica.
const timeout = 5 * time.Second

// maxReplicas bounds the replicas to which a request is sent. More are named as an error.
const maxReplicas = 200

// maxConcurrent bounds the requests of one call at the same time.
const maxConcurrent = 16

// Replica is another replica of this Limpet.
type Replica struct {
	Name    string
	Address netip.AddrPort // of the listener that serves other replicas
}

// Response is the response of one replica to a request that was sent to all.
type Response struct {
	Replica
	Body []byte
	// Err is why there is no Body: the replica cannot be reached, does not have the same keys, or responded with an error.
	Err error
}

// Client sends requests to the other replicas. It is safe for concurrent use.
type Client struct {
	Keys Keys
	// Replicas returns the replicas other than this one.
	Replicas func() []Replica

	// transport never uses a proxy of the environment, which would see all requests.
	transport http.Transport
}

// Do sends a request to each of the other replicas, and returns their responses in the order of Replicas. uri is the path and
// the query. limit bounds the body of a response in bytes. Only responses with status 200 count as successful.
func (c *Client) Do(ctx context.Context, method, uri string, body []byte, limit int64) []Response {
	replicas := c.Replicas()
	responses := make([]Response, len(replicas))
	permits := make(chan struct{}, maxConcurrent)
	var wg sync.WaitGroup
	for i, replica := range replicas {
		responses[i].Replica = replica
		if i >= maxReplicas {
			responses[i].Err = fmt.Errorf("only the first %d replicas get requests", maxReplicas)
			continue
		}
		permits <- struct{}{}
		wg.Go(func() {
			defer func() { <-permits }()
			responses[i].Body, responses[i].Err = c.send(ctx, replica.Address, method, uri, body, limit)
		})
	}
	wg.Wait()
	return responses
}

var (
	errNoKeys    = errors.New("the affinity keys are not loaded yet")
	errUnsigned  = errors.New("the response is not signed with the keys of this replica")
	errLongReply = errors.New("the response is too long")
)

func (c *Client) send(ctx context.Context, to netip.AddrPort, method, uri string, body []byte, limit int64) ([]byte, error) {
	keys := c.Keys()
	if len(keys) == 0 {
		return nil, errNoKeys
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+to.String()+uri, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signed := signRequest(request, body, keys[0], time.Now())
	response, err := c.transport.RoundTrip(request) // follows no redirects
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > limit {
		return nil, errLongReply
	}
	reply := signed.responseTo(response.StatusCode, text)
	if !reply.verify(keys, response.Header.Get(signatureHeader)) {
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%w: status %d", errUnsigned, response.StatusCode)
		}
		return nil, errUnsigned
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d: %s", response.StatusCode, strings.TrimSpace(string(text)))
	}
	return text, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }
