package http1

// Response is the head of a response. The zero value is ready for ParseResponse.
type Response struct {
	Message
	// Status is from 100 to 999. Codes above 599 are invalid, but some servers send them.
	Status int
	// Reason is the reason phrase, which is often empty.
	Reason []byte
}

// Reset prepares r for the next message and keeps its memory.
func (r *Response) Reset() {
	r.clear()
	r.scanned, r.hasLine = 0, false
}

func (r *Response) clear() {
	r.Message.clear()
	r.Status, r.Reason = 0, nil
}

// Shed is like Message.Shed.
func (r *Response) Shed() {
	r.Message.Shed()
	r.Reason = nil
}

// ParseResponse parses the head at the start of buf into r, and returns its length. method is the method of the
// request, which determines the framing. See ParseRequest for errors and memory. An interim (1xx) response other
// than 101 is followed by another head. A head whose lines end with bare LFs is copied, and r does not point into buf then.
func ParseResponse(r *Response, buf []byte, lim *Limits, method []byte) (n int, err error) {
	if !r.worthParsing(buf, lim) {
		r.scanned = len(buf)
		return 0, ErrIncomplete
	}
	head := buf[:min(len(buf), lim.HeadBytes)]
	n, err = r.parse(head, lim, method)
	if err == ErrLineEnd && endsWithBareLF(head) {
		n, err = r.parseBareLF(head, lim, method)
	}
	return r.finishParse(n, err, buf, lim)
}

// parseBareLF parses a head whose lines all end with a bare LF.
func (r *Response) parseBareLF(buf []byte, lim *Limits, method []byte) (int, error) {
	head, n, err := withCRLF(buf)
	if err != nil {
		return 0, err
	}
	_, err = r.parse(head, lim, method)
	r.KeepAlive = false
	return n, err
}

// parse processes buf strictly from front to back, like Request.parse.
func (r *Response) parse(buf []byte, lim *Limits, method []byte) (int, error) {
	r.clear()
	i, err := r.parseStatusLine(buf)
	if err != nil {
		return 0, err
	}
	if r.Fields, i, err = appendFields(r.Fields, buf, i, lim.Fields); err != nil {
		return 0, err
	}
	return i, r.finish(method)
}

// parseStatusLine parses a line such as "HTTP/1.1 200 OK". Contrary to RFC 9112, section 4, the space before an
// empty reason phrase may be missing: many servers omit it, and the line is still unambiguous.
func (r *Response) parseStatusLine(buf []byte) (next int, err error) {
	if r.Minor, err = parseVersion(buf, 0); err != nil {
		return 0, err
	}
	i := versionBytes
	if r.Status, i, err = parseStatus(buf, i); err != nil {
		return 0, err
	}
	start := i
	if i < len(buf) && buf[i] == ' ' {
		start++
		i = textEnd(buf, start)
	}
	if i < len(buf) && buf[i] != '\r' && buf[i] != '\n' {
		return 0, ErrStatusLine
	}
	if next, err = crlf(buf, i); err == nil {
		r.Reason = buf[start:i:i]
	}
	return next, err
}

// parseStatus parses a space and three digits at i.
func parseStatus(buf []byte, i int) (status, next int, err error) {
	for n := range 4 {
		if i+n == len(buf) {
			return 0, 0, ErrIncomplete
		}
		b := buf[i+n]
		if n == 0 && b != ' ' || n > 0 && (b < '0' || b > '9') {
			return 0, 0, ErrStatusLine
		}
		if n > 0 {
			status = status*10 + int(b-'0')
		}
	}
	if status < 100 {
		return 0, 0, ErrStatusLine
	}
	return status, i + 4, nil
}

func (r *Response) finish(method []byte) error {
	r.isResponse = true
	for i := range r.Fields {
		r.index(i)
	}
	if err := r.setFraming(); err != nil {
		return err
	}
	if err := r.setConnection(); err != nil {
		return err
	}
	r.setBody(method)
	if r.normalized { // another request must not rely on this pod's framing
		r.KeepAlive = false
	}
	return nil
}

// setBody applies the rules for responses in RFC 9112, section 6.3.
func (r *Response) setBody(method []byte) {
	switch {
	case r.Status < 200 || r.Status == 204:
		r.dropBody()
	case r.Status == 304 || string(method) == "HEAD":
		r.Body = BodyNone
	case !r.Has(FieldContentLength) && r.Body == BodyNone:
		r.Body, r.KeepAlive = BodyUntilClose, false
	}
}

// dropBody handles responses that must not have a body or framing fields (RFC 9110, section 8.6; RFC 9112, section
// 6.1). A server that sends framing fields anyway may also send a body, so the connection is not reused.
func (r *Response) dropBody() {
	if r.Body != BodyNone {
		r.KeepAlive = false
	}
	r.Body, r.ContentLength = BodyNone, -1
}
