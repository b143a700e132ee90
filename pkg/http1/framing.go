package http1

import (
	"bytes"
	"math"
)

const framingFields = 1<<FieldContentLength | 1<<FieldTransferEncoding

// setFraming determines the framing from Content-Length and Transfer-Encoding (RFC 9112, section 6). Messages with
// both, or with repeated lengths, are rejected as possible request smuggling. Only responses may repeat an equal length.
func (m *Message) setFraming() error {
	switch m.present & framingFields {
	case 0:
		return nil
	case framingFields:
		return ErrLengthAndCoding
	case 1 << FieldContentLength:
		return m.setLength()
	}
	return m.setCoding()
}

func (m *Message) setLength() (err error) {
	if m.IsRepeated(FieldContentLength) {
		if !m.isResponse || !m.hasEqualLengths() {
			return ErrLength
		}
		m.normalized = true
	}
	m.ContentLength, err = parseLength(m.Get(FieldContentLength))
	if m.ContentLength > 0 {
		m.Body = BodyLength
	}
	return err
}

// hasEqualLengths reports whether all Content-Length fields have the same text (RFC 9110, section 8.6).
func (m *Message) hasEqualLengths() bool {
	first := m.Get(FieldContentLength)
	for i := range m.Fields {
		if m.Fields[i].ID == FieldContentLength && !bytes.Equal(m.Fields[i].Value, first) {
			return false
		}
	}
	return true
}

// parseLength parses 1*DIGIT. Signs, lists and spaces are rejected.
func parseLength(text []byte) (int64, error) {
	if len(text) == 0 {
		return -1, ErrLength
	}
	n := int64(0)
	for _, b := range text {
		if b < '0' || b > '9' {
			return -1, ErrLength
		}
		digit := int64(b - '0')
		if n > (math.MaxInt64-digit)/10 {
			return -1, ErrLengthTooLarge
		}
		n = n*10 + digit
	}
	return n, nil
}

// setCoding accepts only the coding chunked. As required by RFC 9112, section 6.1, unknown codings result in 501,
// and codings without a final chunked in 400.
func (m *Message) setCoding() error {
	if m.Minor == 0 {
		return ErrCodingVersion
	}
	if m.IsRepeated(FieldTransferEncoding) || !foldEqual(m.Get(FieldTransferEncoding), "chunked") {
		return m.codingError()
	}
	m.Body = BodyChunked
	return m.checkTrailer()
}

// checkTrailer rejects a chunked body whose Trailer field lists a framing field (RFC 9110, section 6.5.1).
func (m *Message) checkTrailer() error {
	for _, name := range [...]string{"Content-Length", "Transfer-Encoding", "Trailer"} {
		if m.listContains(FieldTrailer, name) {
			return ErrTrailer
		}
	}
	return nil
}

// codingError returns ErrCodingUnknown for valid codings that end with a single chunked, and ErrCoding for all
// others.
func (m *Message) codingError() error {
	chunked, last := 0, false
	for i := range m.Fields {
		if m.Fields[i].ID != FieldTransferEncoding {
			continue
		}
		for coding, rest := nextElement(m.Fields[i].Value); coding != nil; coding, rest = nextElement(rest) {
			if last = foldEqual(coding, "chunked"); last {
				chunked++
			} else if !allOf(coding, classToken) {
				return ErrCoding
			}
		}
	}
	if last && chunked == 1 {
		return ErrCodingUnknown
	}
	return ErrCoding
}
