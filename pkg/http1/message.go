package http1

import "bytes"

// Framing is how the end of a body is determined.
type Framing uint8

// The framings (RFC 9112, section 6.3).
const (
	BodyNone       Framing = iota // no body follows the head
	BodyLength                    // ContentLength bytes follow, at least one
	BodyChunked                   // chunked transfer coding, see Chunked
	BodyUntilClose                // the body ends with the connection; responses only
)

// Message is the common part of requests and responses. It can also be filled from another protocol: call Reset,
// then Add.
type Message struct {
	// Minor is the minor protocol version: 0 for HTTP/1.0, 1 for HTTP/1.1.
	Minor  int
	Fields []Field
	// Cookies are the indices in Fields of all Cookie and Set-Cookie fields.
	Cookies []int
	Body    Framing
	// ContentLength is the value of Content-Length, or -1 if it is missing. In responses to HEAD and with status
	// 304, it may be set although Body is BodyNone.
	ContentLength int64
	// KeepAlive reports whether the peer keeps the connection open after this message.
	KeepAlive bool
	// Upgrade is the value of Upgrade in an HTTP/1.1 message whose Connection field lists it. Otherwise it is nil.
	Upgrade []byte

	present, repeated uint64           // bit sets of FieldIDs
	first             [fieldIDs]uint16 // index in Fields of the first field, valid if present
	nominated         [][]byte         // fields listed in Connection, except close, keep-alive and upgrade
	isResponse        bool             // the deviations that pods are allowed apply: see docs/adr/0051
	normalized        bool             // the message deviates from the grammar and was normalized
	scanned           int              // length of the prefix that is known not to contain the end of the head
	hasLine           bool             // whether that prefix contains the whole first line
}

// Add appends a field. The caller must have validated name and value.
func (m *Message) Add(name, value []byte) {
	m.AddField(Field{Name: name, Value: value, ID: NameID(name)})
}

// AddField is like Add for a field with a known ID.
func (m *Message) AddField(f Field) {
	m.Fields = append(m.Fields, f)
	m.index(len(m.Fields) - 1)
}

// Set adds a field, and withholds all existing fields with that name.
func (m *Message) Set(name, value []byte) {
	for i := range m.Fields {
		if foldEqual(m.Fields[i].Name, name) {
			m.Withhold(i)
		}
	}
	m.Add(name, value)
}

// Has reports whether there is a field with that ID.
func (m *Message) Has(id FieldID) bool { return m.present&(1<<id) != 0 }

// Get returns the value of the first field with that ID. It returns nil if there is no such field, and an empty
// non-nil slice if the value is empty.
func (m *Message) Get(id FieldID) []byte {
	if !m.Has(id) {
		return nil
	}
	return m.Fields[m.first[id]].Value
}

// Withhold prevents Fields[i] from being forwarded.
func (m *Message) Withhold(i int) { m.Fields[i].ID = FieldWithheld }

// WithholdAll prevents all fields with that ID from being forwarded.
func (m *Message) WithholdAll(id FieldID) {
	for i := range m.Fields {
		if m.Fields[i].ID == id {
			m.Withhold(i)
		}
	}
}

// KeepNominated copies the names listed in Connection, so that they outlive the buffer that m was parsed from. They
// are needed to forward trailers.
func (m *Message) KeepNominated() {
	for i, name := range m.nominated {
		m.nominated[i] = bytes.Clone(name)
	}
}

// Shed drops the fields, so that m no longer references the buffer that it was parsed from. Properties of the body
// and the connection are kept.
func (m *Message) Shed() {
	m.KeepNominated()
	clear(m.Fields)
	m.Fields, m.Cookies, m.Upgrade = m.Fields[:0], m.Cookies[:0], nil
	m.present, m.repeated = 0, 0
}

// Lookup returns the value of the first field with that name, compared case-insensitively.
func (m *Message) Lookup(name string) (value []byte, ok bool) {
	for i := range m.Fields {
		if f := &m.Fields[i]; foldEqual(f.Name, name) {
			return f.Value, true
		}
	}
	return nil, false
}

// Nominated reports whether Connection lists the field, which makes it hop-by-hop (RFC 9110, section 7.6.1).
func (m *Message) Nominated(name []byte) bool {
	for _, n := range m.nominated {
		if foldEqual(name, n) {
			return true
		}
	}
	return false
}

// clear makes m empty. It keeps the memory and the scan state.
func (m *Message) clear() {
	m.Fields, m.Cookies, m.nominated = m.Fields[:0], m.Cookies[:0], m.nominated[:0]
	m.Minor, m.Body, m.ContentLength, m.KeepAlive, m.Upgrade = 0, BodyNone, -1, false, nil
	m.present, m.repeated = 0, 0
	m.isResponse, m.normalized = false, false
}

// index updates the indices for Fields[i].
func (m *Message) index(i int) {
	id := m.Fields[i].ID
	if id < FieldHost {
		return
	}
	if id == FieldCookie || id == FieldSetCookie {
		m.Cookies = append(m.Cookies, i)
	}
	bit := uint64(1) << id
	if m.present&bit != 0 {
		m.repeated |= bit
		return
	}
	m.present |= bit
	m.first[id] = uint16(i)
}

// IsRepeated reports whether there is more than one field with that ID.
func (m *Message) IsRepeated(id FieldID) bool { return m.repeated&(1<<id) != 0 }

// worthParsing reports whether parsing buf may have another result than ErrIncomplete. It avoids parsing a head
// that arrives in many small pieces once per piece. A head is parsed when its first bytes have arrived, when its
// first line is complete, when its end has arrived, and when it reaches the limit.
func (m *Message) worthParsing(buf []byte, lim *Limits) bool {
	if m.scanned == 0 || m.scanned > len(buf) || len(buf) >= lim.HeadBytes {
		return true // fewer bytes than before mean another message
	}
	if !m.hasLine {
		return bytes.IndexByte(buf[m.scanned:], '\n') >= 0
	}
	return hasHeadEnd(buf, m.scanned)
}

// finishParse converts the result of a parser to the result for the caller, and updates the scan state.
func (m *Message) finishParse(n int, err error, buf []byte, lim *Limits) (int, error) {
	m.scanned, m.hasLine = 0, false
	if err == nil {
		return n, nil
	}
	if err != ErrIncomplete {
		return 0, err
	}
	if len(buf) >= lim.HeadBytes {
		return 0, ErrHeadTooLarge
	}
	m.scanned, m.hasLine = len(buf), bytes.IndexByte(buf, '\n') >= 0
	return 0, ErrIncomplete
}

// hasHeadEnd reports whether buf contains an empty line, or an LF that the parser rejects, at or after from.
func hasHeadEnd(buf []byte, from int) bool {
	for {
		i := bytes.IndexByte(buf[from:], '\n')
		if i < 0 {
			return false
		}
		i += from
		if i < 2 || buf[i-1] != '\r' || buf[i-2] == '\n' {
			return true
		}
		from = i + 1
	}
}
