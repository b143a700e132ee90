package http2

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// section is a field section that is being received. A malformed section affects only its stream (RFC 9113 section 8.1.1).
// Decoding continues anyway, since both sides must keep the same HPACK state.
type section struct {
	stream        uint32
	isOpen        bool // more frames of it follow
	endStream     bool // it has END_STREAM
	kind          sectionKind
	encodedBytes  int
	head          *Head
	size          int // as defined in RFC 9113 section 6.5.2
	maxSize       int
	maxFields     int
	malformed     bool
	hasRegular    bool   // a field that is not a pseudo-header field was received
	lengthCount   int    // number of Content-Length fields
	length        string // value of the first of them
	cookieBytes   int    // length of the Cookie values with separators
	lenient       bool   // accept spaces around values and connection-specific fields, as apps send them unnoticed over HTTP/1.1
	invalidLength bool   // Content-Length is not a number, or has two values
}

type sectionKind uint8

const (
	requestHead sectionKind = iota
	responseHead
	trailers
	closedHead // on a closed stream
)

// add validates a field and adds it to the head.
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

// addPseudo adds a pseudo-header field. It returns false if the field is not allowed (RFC 9113 section 8.3).
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

// setStatus parses a status of three digits. There is no 101 in HTTP/2 (RFC 9113 section 8.6).
func (s *section) setStatus(value string) bool {
	n, err := strconv.ParseUint(value, 10, 16)
	s.head.Status = int(n)
	return err == nil && len(value) == 3 && n >= 100 && n != 101
}

// addField adds a regular field. It returns false if the field is malformed (RFC 9113 section 8.2.1).
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
	if !s.lenient && (isOfConnection(f.ID, value) || s.kind == trailers && isProtected(&f)) {
		return false
	}
	if f.ID == http1.FieldContentLength && !s.addLength(value) {
		return true
	}
	s.head.Fields = append(s.head.Fields, f)
	return true
}

// isProtected reports whether a field must not be sent as a trailer, because it concerns framing, routing, authentication,
// conditions or the content (RFC 9110 section 6.5.1). HTTP/3 refuses the same fields.
func isProtected(f *http1.Field) bool {
	switch f.ID {
	case http1.FieldAuthorization, http1.FieldCacheControl, http1.FieldConnection, http1.FieldContentEncoding,
		http1.FieldContentLength, http1.FieldContentRange, http1.FieldContentType, http1.FieldExpect, http1.FieldHost,
		http1.FieldKeepAlive, http1.FieldMaxForwards, http1.FieldProxyAuthenticate, http1.FieldProxyAuthorization,
		http1.FieldProxyConnection, http1.FieldRange, http1.FieldTE, http1.FieldTrailer, http1.FieldTransferEncoding,
		http1.FieldWWWAuthenticate:
		return true
	}
	name := string(f.Name)
	return name == "pragma" || name == "realm" || strings.HasPrefix(name, "if-")
}

// countCookie counts the bytes that several Cookie values need when they are joined.
func (s *section) countCookie(value string) {
	if s.cookieBytes += len(value) + len("; "); s.cookieBytes > len(value)+len("; ") {
		s.head.cookieBytes = s.cookieBytes
	}
}

// isOfConnection reports whether a field is connection-specific (RFC 9113 section 8.2.2).
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

// addLength parses a Content-Length. It returns false if the value repeats an earlier one (RFC 9110 section 8.6).
func (s *section) addLength(value string) bool {
	s.lengthCount++
	if s.lengthCount == 1 {
		s.length = value
	} else if s.length == value {
		return false
	}
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || s.lengthCount > 1 {
		s.head.ContentLength, s.invalidLength = -1, true
		return true
	}
	s.head.ContentLength = int64(n)
	return true
}

func hasUpper(name string) bool {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return true
		}
	}
	return false
}

// validate checks the complete section.
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
