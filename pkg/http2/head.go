package http2

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Head is a decoded field section: the head of a request or a response, or trailers. Its bytes are valid until its stream is
// closed.
type Head struct {
	// Method, Scheme, Authority, Path and Protocol are the pseudo-header fields of a request. A missing one is nil.
	Method, Scheme, Authority, Path, Protocol []byte
	// Status is the status code of a response.
	Status int
	// Fields are valid: their names are lower-case tokens, and their values have no control characters.
	Fields []http1.Field
	// ContentLength is -1 if the field is missing or invalid, or has two values.
	ContentLength int64
	// TooLarge reports that Fields is incomplete because the section exceeds a limit.
	TooLarge bool

	space     []byte // backs the strings
	spill     *spill // backs further strings while the section is received and space is full
	textBytes int    // length of all strings

	cookieBytes int // length of all Cookie values if there are several
}

// heads pools Heads. Their space is never nil, so that an empty string that was copied is not nil either.
var heads = sync.Pool{New: func() any { return &Head{space: make([]byte, 0, 1<<10)} }}

// maxPooledSpace is the largest space, in bytes, of a Head that is returned to the pool.
const maxPooledSpace = 8 << 10

func newHead(s *spill) *Head {
	h := heads.Get().(*Head)
	*h = Head{Fields: h.Fields[:0], space: h.space[:0], spill: s, ContentLength: -1}
	return h
}

func (h *Head) release() {
	if h == nil || cap(h.space) > maxPooledSpace {
		return
	}
	heads.Put(h)
}

// spill backs the strings that do not fit in the space of a Head. A connection has one, so that a growing section does not
// leave behind a buffer for each size that it outgrew.
type spill struct{ bytes []byte }

// maxRetainedSpill is the largest spill buffer, in bytes, that is kept for the next section of the connection.
const maxRetainedSpill = 16 << 10

// copyText copies text to memory that is valid as long as the Head.
func (h *Head) copyText(text string) []byte {
	h.textBytes += len(text)
	if len(h.space)+len(text) > cap(h.space) {
		return h.spill.copyText(text)
	}
	start := len(h.space)
	h.space = append(h.space, text...)
	return h.space[start:len(h.space):len(h.space)]
}

func (s *spill) copyText(text string) []byte {
	start := len(s.bytes)
	s.bytes = append(s.bytes, text...)
	return s.bytes[start:len(s.bytes):len(s.bytes)]
}

// compactSpill moves the strings of a Head that has spilled to one buffer of exactly the right size.
func (h *Head) compactSpill() {
	if h.spill == nil {
		return
	}
	if len(h.spill.bytes) > 0 {
		h.compact()
		h.spill.bytes = h.spill.bytes[:0]
		if cap(h.spill.bytes) > maxRetainedSpill {
			h.spill.bytes = nil
		}
	}
	h.spill = nil
}

func (h *Head) compact() {
	space := make([]byte, 0, h.textBytes)
	move := func(b *[]byte) {
		if *b == nil {
			return
		}
		start := len(space)
		space = append(space, *b...)
		*b = space[start:len(space):len(space)]
	}
	for _, pseudo := range []*[]byte{&h.Method, &h.Scheme, &h.Authority, &h.Path, &h.Protocol} {
		move(pseudo)
	}
	for i := range h.Fields {
		move(&h.Fields[i].Name)
		move(&h.Fields[i].Value)
	}
	h.space = space
}

// Bytes returns the size of the memory that backs the strings.
func (h *Head) Bytes() int { return cap(h.space) }

// memorySize returns the size of the memory that the Head occupies.
func (h *Head) memorySize() int { return cap(h.space) + cap(h.Fields)*fieldSize }

// fieldSize is the size of an http1.Field.
const fieldSize = 56

// pseudo returns a pointer to the pseudo-header field of a request, or nil if there is no such field.
func (h *Head) pseudo(name string) *[]byte {
	switch name {
	case ":method":
		return &h.Method
	case ":scheme":
		return &h.Scheme
	case ":authority":
		return &h.Authority
	case ":path":
		return &h.Path
	case ":protocol":
		return &h.Protocol
	}
	return nil
}

// isRequest reports whether the pseudo-header fields are valid for a request, with the exceptions for CONNECT (RFC 9113
// sections 8.3.1 and 8.5, RFC 8441 section 4).
func (h *Head) isRequest() bool {
	if h.Method == nil {
		return false
	}
	if string(h.Method) == "CONNECT" && h.Protocol == nil {
		return h.Authority != nil && h.Scheme == nil && h.Path == nil
	}
	return isScheme(h.Scheme) && len(h.Path) > 0
}

// isScheme reports whether b is a scheme (RFC 3986 section 3.1). HTTP/2 does not restrict it to http and https (RFC 9113
// section 8.3.1).
func isScheme(b []byte) bool {
	for i, c := range b {
		isLetter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !isLetter && (i == 0 || c != '+' && c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return len(b) > 0
}
