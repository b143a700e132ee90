package http2

import (
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http2/hpack"

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

// section is a field section that is being received. What makes it malformed is for its stream only (RFC 9113 section
// 8.1.1): decompressing has to go on, since both sides keep the same table.
type section struct {
	stream    uint32
	isOpen    bool // more frames of it are to come
	end       bool // it ends the stream
	kind      sectionKind
	encoded   int
	head      *Head
	size      int // as RFC 9113 section 6.5.2 has it
	limit     int
	fields    int // that there may be
	malformed bool
	regular   bool // a field has come that is no pseudo field
	lengths   int  // how many Content-Length there were
	lenient   bool // to what apps say and do not notice over HTTP/1.1: spaces around values, and fields about connections
	badLength bool // one is no number, or there are several
}

type sectionKind uint8

const (
	requestHead sectionKind = iota
	answerHead
	trailers
	closedHead // on a stream that has ended
)

// add takes in one field.
func (s *section) add(f hpack.HeaderField) {
	if s.malformed || s.head.TooLarge {
		return
	}
	if s.size += int(f.Size()); s.size > s.limit || len(s.head.Fields) == s.fields {
		s.head.TooLarge = true
		return
	}
	if len(f.Name) > 0 && f.Name[0] == ':' {
		s.malformed = !s.addPseudo(f.Name, f.Value)
		return
	}
	s.regular = true
	s.malformed = !s.addField(f.Name, f.Value)
}

// addPseudo reports whether the pseudo field may be there (RFC 9113 section 8.3).
func (s *section) addPseudo(name, value string) bool {
	if s.regular {
		return false
	}
	if s.kind == answerHead {
		return name == ":status" && s.head.Status == 0 && s.setStatus(value)
	}
	to := s.head.pseudo(name)
	if s.kind == trailers || to == nil || *to != nil {
		return false
	}
	*to = s.head.keep(value)
	return http1.IsFieldValue(*to)
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

// setStatus takes three digits. There is no 101 in HTTP/2 (RFC 9113 section 8.6).
func (s *section) setStatus(value string) bool {
	n, err := strconv.ParseUint(value, 10, 16)
	s.head.Status = int(n)
	return err == nil && len(value) == 3 && n >= 100 && n != 101
}

// addField reports whether the field is well-formed (RFC 9113 section 8.2.1).
func (s *section) addField(name, value string) bool {
	bare := strings.Trim(value, " \t")
	if bare != value && !s.lenient {
		return false
	}
	value = bare
	f := http1.Field{Name: s.head.keep(name), Value: s.head.keep(value)}
	if hasUpper(name) || !http1.IsToken(f.Name) || !http1.IsFieldValue(f.Value) {
		return false
	}
	f.ID = http1.NameID(f.Name)
	if !s.lenient && isOfConnection(f.ID, value) {
		return false
	}
	s.head.Fields = append(s.head.Fields, f)
	if f.ID == http1.FieldContentLength {
		s.addLength(value)
	}
	return true
}

// isOfConnection reports whether a field says something about a connection of HTTP/1.1 (RFC 9113 section 8.2.2).
func isOfConnection(id http1.FieldID, value string) bool {
	switch id {
	case http1.FieldConnection, http1.FieldKeepAlive, http1.FieldProxyConnection, http1.FieldTransferEncoding,
		http1.FieldUpgrade:
		return true
	case http1.FieldTE:
		return value != "trailers"
	}
	return false
}

func (s *section) addLength(value string) {
	s.lengths++
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || s.lengths > 1 {
		s.head.ContentLength, s.badLength = -1, true
		return
	}
	s.head.ContentLength = int64(n)
}

func hasUpper(name string) bool {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return true
		}
	}
	return false
}

// settle looks at the whole section.
func (s *section) settle() {
	h := s.head
	switch {
	case s.malformed || h.TooLarge:
	case s.kind == requestHead:
		s.malformed = !h.isRequest()
	case s.kind == answerHead:
		s.malformed = h.Status == 0 || s.badLength
	}
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
