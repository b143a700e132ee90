package http1

import "bytes"

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
	// ExpectContinue says that the client waits for a 100 before it sends the body.
	ExpectContinue bool
	// TakesTrailers says that TE lists "trailers". The TE field itself is never forwarded: write "TE: trailers" anew.
	TakesTrailers bool
}

// Reset makes r ready for another message and keeps its memory.
func (r *Request) Reset() {
	r.clear()
	r.scanned, r.lined = 0, false
}

func (r *Request) clear() {
	r.Message.clear()
	r.Method, r.Path, r.Query, r.Host = nil, nil, nil, nil
	r.HasQuery, r.ExpectContinue, r.TakesTrailers = false, false, false
}

// Shed is that of Message, and keeps the Method.
func (r *Request) Shed() {
	r.Message.Shed()
	r.Path, r.Query, r.Host = nil, nil, nil
}

// ParseRequest reads the head at the beginning of buf into r, and gives its length. The error is ErrIncomplete when
// the head does not end in buf: call again with the same r and the same bytes plus more; that is cheap, however small
// the steps. Any other error is an *Error. r must be fresh or Reset unless the call before said ErrIncomplete.
// r points into buf.
func ParseRequest(r *Request, buf []byte, lim *Limits) (n int, err error) {
	if !r.ready(buf, lim) {
		r.scanned = len(buf)
		return 0, ErrIncomplete
	}
	n, err = r.parse(buf[:min(len(buf), lim.HeadBytes)], lim)
	return r.parsed(n, err, buf, lim)
}

// parse goes strictly from front to back, so that what it finds does not depend on how much of the rest is there.
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

// SetMethod checks and sets Method, for requests that come by another protocol.
func (r *Request) SetMethod(method []byte) error {
	if !IsToken(method) {
		return ErrMethod
	}
	r.Method = method
	return checkMethod(method)
}

// checkMethod refuses what would open a tunnel, and what would answer with the cookies and credentials of the request.
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
	i := scan(buf[:min(len(buf), start+most+1)], start, classTarget)
	if i > start+most {
		return 0, ErrTargetTooLong
	}
	if i == len(buf) {
		return 0, ErrIncomplete
	}
	if buf[i] != ' ' {
		return 0, ErrTarget
	}
	return i + 1, r.setTarget(buf[start:i:i])
}

// parseVersion reads the end of the request line.
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

// finish draws from the fields what they say about the whole message.
func (r *Request) finish() error {
	for i := range r.Fields {
		r.index(i)
	}
	if err := r.settleHost(); err != nil {
		return err
	}
	if err := r.setFraming(); err != nil {
		return err
	}
	if err := r.setConnection(); err != nil {
		return err
	}
	r.TakesTrailers = r.lists(FieldTE, "trailers")
	return r.SetExpect()
}

// settleHost takes Host from its field. An absolute-form has set it already, and then both have to agree: RFC 9112
// section 3.2.2 lets the target win, but the next reader might see it otherwise.
func (r *Request) settleHost() error {
	if !r.Has(FieldHost) {
		return ErrHostMissing
	}
	if r.isRepeated(FieldHost) {
		return ErrHostRepeated
	}
	host := r.Get(FieldHost)
	if r.Host != nil && !foldEqual(r.Host, host) {
		return ErrHostMismatch
	}
	return r.SetHost(host)
}

// Settle checks Host and Content-Length among the fields that were added by Add: there is one of each at most, Host
// is that of SetHost (RFC 9113 section 8.3.1), and Content-Length is read.
func (r *Request) Settle() error {
	if r.isRepeated(FieldHost) {
		return ErrHostRepeated
	}
	if r.Has(FieldHost) && !foldEqual(r.Host, r.Get(FieldHost)) {
		return ErrHostMismatch
	}
	if r.Has(FieldContentLength) {
		return r.setLength()
	}
	return nil
}

// SetExpect reads Expect, which does not exist in HTTP/1.0 and means nothing without a body (RFC 9110 section 10.1.1). Body
// must be set before.
func (r *Request) SetExpect() error {
	if !r.Has(FieldExpect) || r.Minor == 0 {
		return nil
	}
	if r.isRepeated(FieldExpect) || !foldEqual(r.Get(FieldExpect), "100-continue") {
		return ErrExpect
	}
	r.ExpectContinue = r.Body != BodyNone
	return nil
}

// WebSocket reports whether the request asks for a WebSocket (RFC 6455 section 4.1): the only upgrade that is passed.
func (r *Request) WebSocket() bool {
	return r.Upgrade != nil && r.Body == BodyNone && bytes.Equal(r.Method, methodGet) && listHas(r.Upgrade, "websocket")
}

var methodGet = []byte("GET")
