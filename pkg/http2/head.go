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

	space     []byte // that the bytes are in
	spill     *spill // where they are as well while the section is received and space is full
	textBytes int    // length of all that was kept

	cookieBytes int // length of all values of Cookie, where there are several
}

// Their space is never nil: nor is what is kept, even where it is empty.
var heads = sync.Pool{New: func() any { return &Head{space: make([]byte, 0, 1<<10)} }}

// mostKeptSpace is how large the space of a Head that waits for another use may be.
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

// spill takes what does not fit in the space of a Head. A connection has one, so that a section that grows leaves no
// array behind for each size that it had on its way.
type spill struct{ bytes []byte }

// mostSpill is how much of the memory is kept for the next section of the connection.
const maxRetainedSpill = 16 << 10

// keep copies text to where it lives as long as the Head.
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

// settle moves a Head that has spilled to one array of exactly its size.
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

// Bytes is how much memory the bytes of the head take.
func (h *Head) Bytes() int { return cap(h.space) }

// size is how much memory the Head holds.
func (h *Head) memorySize() int { return cap(h.space) + cap(h.Fields)*fieldSize }

// fieldBytes is the size of a http1.Field.
const fieldSize = 56

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
