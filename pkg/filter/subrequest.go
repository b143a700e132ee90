package filter

import (
	"errors"
	"net/http"
	"time"
)

// Subrequest is an HTTP request that Limpet sends by itself while it serves the request of a client.
type Subrequest struct {
	// Purpose is why the request is sent, for metrics. Namespace is the one whose object wants it. Each namespace has a share of
	// the concurrent Subrequests for each purpose.
	Purpose, Namespace string
	Method             string
	// URL is absolute, with scheme http or https.
	URL string
	// Host is the Host field. Empty means the host of URL.
	Host string
	// Header belongs to the Subrequester, which may add fields.
	Header http.Header
	// Body may be empty.
	Body []byte
	// Endpoints are the pods of the Service that URL names. If it is nil, the host is resolved by DNS.
	Endpoints Endpoints
	// AuthorityPEM has the CA certificates that verify the server. If it is empty, those of the system do.
	AuthorityPEM string
	// Timeout bounds the time from the start to the head of the response, and up to the end of the body if MaxBody is set.
	Timeout time.Duration
	// MaxBody is the maximum size of the body of the response in bytes. A longer body is an error. Zero discards the body.
	MaxBody int
}

// Subresponse is the response to a Subrequest. Redirects are not followed.
type Subresponse struct {
	Status int
	Header http.Header
	Body   []byte
}

// Subrequester sends Subrequests. Implementations bound the number of concurrent ones. It is safe for concurrent use.
type Subrequester interface {
	// Do returns an error if there is no complete response in time.
	Do(s *Subrequest) (*Subresponse, error)
}

// Endpoints provides the addresses of the ready endpoints of a Service. upstream.Pool implements it.
type Endpoints interface {
	// PickAddress returns the address of one endpoint, in turn. It returns false if there is no endpoint.
	PickAddress() (string, bool)
	// HasAddress reports whether an endpoint, ready or draining, has the address.
	HasAddress(address string) bool
}

// ErrNoEndpoint is the error of a Subrequest to a Service without endpoints.
var ErrNoEndpoint = errors.New("filter: the Service has no endpoints")

// ErrNoPermit is the error of a Subrequest that could not start in time, because there are too many.
var ErrNoPermit = errors.New("filter: there are too many subrequests")
