package filter

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// OwnFields adds the fields that every response of Limpet's own has: X-Request-ID and, to 405, Allow. It does not belong to
// routes: exchange runs it on a Response before all other filters.
type OwnFields struct{}

var (
	requestIDName = []byte("X-Request-ID")
	allowName     = []byte("Allow")
	// allowed are the usual methods: which ones a resource has is for its pod to say (RFC 9110 section 15.5.6).
	allowed = []byte("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
)

// Name is part of Filter.
func (OwnFields) Name() string { return "own-fields" }

// FilterResponse is part of ResponseFilter.
func (OwnFields) FilterResponse(r *Request, head *http1.Response) {
	head.Add(requestIDName, r.ID())
	if head.Status == http.StatusMethodNotAllowed {
		head.Add(allowName, allowed)
	}
}
