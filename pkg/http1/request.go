package http1

// Request is the head of a request.
type Request struct {
	Message
	Method []byte
	// Path is as received (see NormalizePath), "/" where an absolute-form has none, and "*" for the asterisk-form.
	Path []byte
	// Query is what follows "?"; HasQuery tells an empty one from none.
	Query    []byte
	HasQuery bool
	// Host is the authority that the request is for, checked, as received: name or address, and port if given.
	Host []byte
	// Cookies are the indices in Fields of all Cookie fields.
	Cookies []int
	// ExpectContinue says that the client waits for a 100 before it sends the body.
	ExpectContinue bool
	// TakesTrailers says that TE lists "trailers". The TE field itself is never forwarded: write "TE: trailers" anew.
	TakesTrailers bool
}

// Reset makes r ready for another message and keeps its memory.
func (r *Request) Reset() { panic("later") }

// ParseRequest reads the head at the beginning of buf into r, and gives its length. The error is ErrIncomplete when
// the head does not end in buf: call again with the same r and the same bytes plus more; that is cheap, however small
// the steps. Any other error is an *Error. r must be fresh or Reset unless the call before said ErrIncomplete.
// r points into buf.
func ParseRequest(r *Request, buf []byte, lim *Limits) (n int, err error) { panic("later") }

// SetTarget checks and sets Path and Query from the :path of an HTTP/2 request: an origin-form, or "*" with OPTIONS.
// Method must be set before.
func (r *Request) SetTarget(target []byte) error { panic("later") }

// SetHost checks and sets Host.
func (r *Request) SetHost(host []byte) error { panic("later") }

// WebSocket reports whether the request asks for a WebSocket (RFC 6455 section 4.1): the only upgrade that is passed.
func (r *Request) WebSocket() bool { panic("later") }
