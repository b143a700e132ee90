package http1

import "bytes"

// Request is the head of a request. The zero value is ready for ParseRequest.
type Request struct {
	Message
	Method []byte
	// Path is the path as received (see NormalizePath), "/" for an absolute-form without path, or "*" for
	// asterisk-form.
	Path []byte
	// Query is the part after "?". HasQuery distinguishes an empty query from none.
	Query    []byte
	HasQuery bool
	// Host is the validated authority as received: a name or address with an optional port. It is nil if an HTTP/1.0 request
	// names no host.
	Host []byte
	// ExpectContinue reports whether the client waits for a 100 (Continue) response before it sends the body.
	ExpectContinue bool
	// TakesTrailers reports whether TE lists "trailers". The TE field itself is never forwarded.
	TakesTrailers bool

	defaultPort string // ":80" or ":443" if the scheme of the target is known, otherwise empty
}

// Reset prepares r for the next message and keeps its memory.
func (r *Request) Reset() {
	r.clear()
	r.scanned, r.hasLine = 0, false
}

func (r *Request) clear() {
	r.Message.clear()
	r.Method, r.Path, r.Query, r.Host = nil, nil, nil, nil
	r.HasQuery, r.ExpectContinue, r.TakesTrailers, r.defaultPort = false, false, false, ""
}

// Shed is like Message.Shed. It keeps Method.
func (r *Request) Shed() {
	r.Message.Shed()
	r.Path, r.Query, r.Host = nil, nil, nil
}

// ParseRequest parses the head at the start of buf into r, and returns its length. r must be new or Reset. r points
// into buf.
//
// If the head is incomplete, ParseRequest returns ErrIncomplete. Call it again with the same r, and with the same
// bytes plus more. That is cheap, even for small increments. Any other error is an *Error.
func ParseRequest(r *Request, buf []byte, lim *Limits) (n int, err error) {
	if !r.worthParsing(buf, lim) {
		r.scanned = len(buf)
		return 0, ErrIncomplete
	}
	n, err = r.parse(buf[:min(len(buf), lim.HeadBytes)], lim)
	return r.finishParse(n, err, buf, lim)
}

// parse processes buf strictly from front to back, so that an error does not depend on how many bytes have arrived.
func (r *Request) parse(buf []byte, lim *Limits) (int, error) {
	r.clear()
	i, err := r.parseMethod(buf, lim.MethodBytes)
	if err != nil {
		return 0, err
	}
	if i, err = r.parseTarget(buf, i, lim.TargetBytes); err != nil {
		return 0, err
	}
	if i, err = r.parseVersion(buf, i); err != nil {
		return 0, err
	}
	if r.Fields, i, err = appendFields(r.Fields, buf, i, lim.Fields); err != nil {
		return 0, err
	}
	return i, r.finish()
}

func (r *Request) parseMethod(buf []byte, most int) (next int, err error) {
	i := scan(buf[:min(len(buf), most+1)], 0, classToken)
	if i > most {
		return 0, ErrMethodTooLong
	}
	if i == len(buf) {
		return 0, ErrIncomplete
	}
	if i == 0 || buf[i] != ' ' {
		return 0, ErrMethod
	}
	r.Method = buf[:i:i]
	return i + 1, checkMethod(r.Method)
}

// SetMethod validates and sets Method, for requests of other protocols.
func (r *Request) SetMethod(method []byte) error {
	if !IsToken(method) {
		return ErrMethod
	}
	r.Method = method
	return checkMethod(method)
}

// checkMethod rejects CONNECT, which opens a tunnel, and TRACE, which would return the cookies and credentials of
// the request.
func checkMethod(method []byte) error {
	switch {
	case foldEqual(method, "CONNECT"):
		return ErrConnect
	case foldEqual(method, "TRACE"):
		return ErrTrace
	}
	return nil
}

func (r *Request) parseTarget(buf []byte, start, most int) (next int, err error) {
	limited := buf[:min(len(buf), start+most+1)]
	i := scan(limited, start, classTarget)
	ascii := i == len(limited) || class[limited[i]] != classNonASCII
	if !ascii {
		i = scan(limited, i, classTarget|classNonASCII)
	}
	if i > start+most {
		return 0, ErrTargetTooLong
	}
	if i == len(buf) {
		return 0, ErrIncomplete
	}
	if buf[i] != ' ' {
		return 0, ErrTarget
	}
	target := buf[start:i:i]
	if !ascii {
		if target, err = encodeTarget(target); err != nil {
			return 0, err
		}
		if len(target) > most {
			return 0, ErrTargetTooLong
		}
	}
	return i + 1, r.setTarget(target)
}

// parseVersion parses the end of the request line.
func (r *Request) parseVersion(buf []byte, i int) (next int, err error) {
	if r.Minor, err = parseVersion(buf, i); err != nil {
		return 0, err
	}
	i += versionBytes
	if i < len(buf) && buf[i] != '\r' && buf[i] != '\n' {
		return 0, ErrVersion
	}
	return crlf(buf, i)
}

// finish sets the properties of the message that follow from its fields.
func (r *Request) finish() error {
	for i := range r.Fields {
		r.index(i)
	}
	if err := r.setHostFromField(); err != nil {
		return err
	}
	if err := r.setFraming(); err != nil {
		return err
	}
	if err := r.setConnection(); err != nil {
		return err
	}
	r.TakesTrailers = r.listContains(FieldTE, "trailers")
	return r.SetExpect()
}

// setHostFromField sets Host from the Host field. With an absolute-form target, both must be equal, except for the default
// port. RFC 9112, section 3.2.2, gives precedence to the target, but another recipient might use the field.
func (r *Request) setHostFromField() error {
	if !r.Has(FieldHost) {
		if r.Minor == 0 {
			return nil
		}
		return ErrHostMissing
	}
	if r.IsRepeated(FieldHost) {
		return ErrHostRepeated
	}
	host := r.Get(FieldHost)
	if r.Host != nil && !r.isSameHost(host) {
		return ErrHostMismatch
	}
	return r.SetHost(host)
}

// Settle validates Host, Content-Length and Trailer of a request that was filled by Add. Host and Content-Length may occur at
// most once, and Host must equal the argument of SetHost, except for the default port (RFC 9113, section 8.3.1). Settle sets
// ContentLength.
func (r *Request) Settle() error {
	if r.IsRepeated(FieldHost) {
		return ErrHostRepeated
	}
	if r.Has(FieldHost) && !r.isSameHost(r.Get(FieldHost)) {
		return ErrHostMismatch
	}
	if err := r.checkTrailer(); err != nil {
		return err
	}
	if r.Has(FieldContentLength) {
		return r.setLength()
	}
	return nil
}

// SetExpect parses Expect. It is ignored in HTTP/1.0 and without a body (RFC 9110, section 10.1.1). Body must be
// set before.
func (r *Request) SetExpect() error {
	if !r.Has(FieldExpect) || r.Minor == 0 {
		return nil
	}
	if r.IsRepeated(FieldExpect) || !foldEqual(r.Get(FieldExpect), "100-continue") {
		return ErrExpect
	}
	r.ExpectContinue = r.Body != BodyNone
	return nil
}

// WebSocket reports whether the request is a WebSocket handshake (RFC 6455, section 4.1). Other upgrades are not
// forwarded.
func (r *Request) WebSocket() bool {
	return r.Upgrade != nil && r.Body == BodyNone && bytes.Equal(r.Method, methodGet) && listHas(r.Upgrade, "websocket")
}

var methodGet = []byte("GET")
