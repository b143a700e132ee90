package http2

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Head is a field section: that at the beginning of a request or an answer, or trailers. Its bytes are its own until its
// stream is let go of.
type Head struct {
	// Method, Scheme, Authority, Path and Protocol are the pseudo fields of a request, nil where there is none.
	Method, Scheme, Authority, Path, Protocol []byte
	// Status is that of an answer.
	Status int
	// Fields are valid: lower-case tokens, and values without control characters.
	Fields []http1.Field
	// ContentLength is -1 where none is given, or none that is a number, or several.
	ContentLength int64
	// TooLarge says that fields are missing from Fields because all of them are more than may be.
	TooLarge bool

	space []byte // that the bytes are in
}

// Their space is never nil: nor is what is kept, even where it is empty.
var heads = sync.Pool{New: func() any { return &Head{space: make([]byte, 0, 1<<10)} }}

// mostKeptSpace is how large the space of a Head that waits for another use may be.
const mostKeptSpace = 8 << 10

func newHead() *Head {
	h := heads.Get().(*Head)
	*h = Head{Fields: h.Fields[:0], space: h.space[:0], ContentLength: -1}
	return h
}

func (h *Head) release() {
	if h == nil || cap(h.space) > mostKeptSpace {
		return
	}
	heads.Put(h)
}

// keep copies text to where it lives as long as the Head.
func (h *Head) keep(text string) []byte {
	from := len(h.space)
	h.space = append(h.space, text...)
	return h.space[from:len(h.space):len(h.space)]
}

// pseudo gives the place of a pseudo field of requests, nil for any other one.
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

// isRequest reports whether the pseudo fields are those of a request: all of them, or those of CONNECT (RFC 9113 sections
// 8.3.1 and 8.5, RFC 8441 section 4).
func (h *Head) isRequest() bool {
	if h.Method == nil {
		return false
	}
	if string(h.Method) == "CONNECT" && h.Protocol == nil {
		return h.Authority != nil && h.Scheme == nil && h.Path == nil
	}
	return h.Scheme != nil && len(h.Path) > 0
}
