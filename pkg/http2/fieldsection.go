package http2

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// section is a field section that is being received. What makes it malformed is for its stream only (RFC 9113 section
// 8.1.1): decompressing has to go on, since both sides keep the same table.
type section struct {
	stream        uint32
	isOpen        bool // more frames of it are to come
	endStream     bool // it ends the stream
	kind          sectionKind
	encodedBytes  int
	head          *Head
	size          int // as RFC 9113 section 6.5.2 has it
	maxSize       int
	maxFields     int // that there may be
	malformed     bool
	hasRegular    bool // a field has come that is no pseudo field
	lengthCount   int  // how many Content-Length there were
	cookieBytes   int
	lenient       bool // to what apps say and do not notice over HTTP/1.1: spaces around values, and fields about connections
	invalidLength bool // one is no number, or there are several
}

type sectionKind uint8

const (
	requestHead sectionKind = iota
	responseHead
	trailers
	closedHead // on a stream that has ended
)

// add takes in one field.
func (s *section) add(f hpack.HeaderField) {
	if s.malformed || s.head.TooLarge {
		return
	}
	if s.size += int(f.Size()); s.size > s.maxSize || len(s.head.Fields) == s.maxFields {
		s.head.TooLarge = true
		return
	}
	if len(f.Name) > 0 && f.Name[0] == ':' {
		s.malformed = !s.addPseudo(f.Name, f.Value)
		return
	}
	s.hasRegular = true
	s.malformed = !s.addField(f.Name, f.Value)
}

// addPseudo reports whether the pseudo field may be there (RFC 9113 section 8.3).
func (s *section) addPseudo(name, value string) bool {
	if s.hasRegular {
		return false
	}
	if s.kind == responseHead {
		return name == ":status" && s.head.Status == 0 && s.setStatus(value)
	}
	to := s.head.pseudo(name)
	if s.kind == trailers || to == nil || *to != nil {
		return false
	}
	*to = s.head.copyText(value)
	return http1.IsFieldValue(*to)
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
	f := http1.Field{Name: s.head.copyText(name), Value: s.head.copyText(value)}
	if hasUpper(name) || !http1.IsToken(f.Name) || !http1.IsFieldValue(f.Value) {
		return false
	}
	f.ID = http1.NameID(f.Name)
	if f.ID == http1.FieldCookie {
		s.countCookie(value)
	}
	if !s.lenient && isOfConnection(f.ID, value) {
		return false
	}
	s.head.Fields = append(s.head.Fields, f)
	if f.ID == http1.FieldContentLength {
		s.addLength(value)
	}
	return true
}

// countCookie notes how much room several values of Cookie take when they are put together.
func (s *section) countCookie(value string) {
	if s.cookieBytes += len(value) + len("; "); s.cookieBytes > len(value)+len("; ") {
		s.head.cookieBytes = s.cookieBytes
	}
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
	s.lengthCount++
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || s.lengthCount > 1 {
		s.head.ContentLength, s.invalidLength = -1, true
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
func (s *section) validate() {
	h := s.head
	switch {
	case s.malformed || h.TooLarge:
	case s.kind == requestHead:
		s.malformed = !h.isRequest()
	case s.kind == responseHead:
		s.malformed = h.Status == 0 || s.invalidLength
	}
}
