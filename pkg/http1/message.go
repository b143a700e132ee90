package http1

import "bytes"

// Framing says how the end of a body is found.
type Framing uint8

// The framings (RFC 9112 section 6.3).
const (
	BodyNone       Framing = iota // no body follows the head
	BodyLength                    // ContentLength bytes follow, at least one
	BodyChunked                   // see Chunked
	BodyUntilClose                // responses only
)

// Message is what requests and responses have in common. It is plain data, which whoever takes requests from another
// protocol may fill by Add, after Reset.
type Message struct {
	// Minor is the x of HTTP/1.x: 0 or 1.
	Minor  int
	Fields []Field
	// Cookies are the indices in Fields of all Cookie and Set-Cookie fields.
	Cookies []int
	Body    Framing
	// ContentLength is the value of Content-Length, -1 without one. In an answer to HEAD, and with 304, it is there
	// although Body is BodyNone.
	ContentLength int64
	// KeepAlive says that the other side wants to use the connection for another message.
	KeepAlive bool
	// Upgrade is the value of Upgrade in an HTTP/1.1 message whose Connection names it, else nil.
	Upgrade []byte

	present, repeated uint64           // bit by FieldID
	first             [fieldIDs]uint16 // index in Fields; meaningful where present
	nominated         [][]byte         // what Connection names, except what is per hop anyway
	scanned           int              // bytes that are known not to hold the end of the head
	lined             bool             // whether they hold the whole first line
}

// Add appends a field. The bytes must have been checked; parsers and the HTTP/2 side do that.
func (m *Message) Add(name, value []byte) {
	m.AddField(Field{Name: name, Value: value, ID: NameID(name)})
}

// AddField is Add of a field whose ID is known.
func (m *Message) AddField(f Field) {
	m.Fields = append(m.Fields, f)
	m.index(len(m.Fields) - 1)
}

// Set adds a field, in the stead of those of its name, which are withheld.
func (m *Message) Set(name, value []byte) {
	for i := range m.Fields {
		if foldEqual(m.Fields[i].Name, name) {
			m.Withhold(i)
		}
	}
	m.Add(name, value)
}

// Has reports whether there is a field of that name.
func (m *Message) Has(id FieldID) bool { return m.present&(1<<id) != 0 }

// Get gives the value of the first field of that name: nil if there is none, empty but not nil if it is empty.
func (m *Message) Get(id FieldID) []byte {
	if !m.Has(id) {
		return nil
	}
	return m.Fields[m.first[id]].Value
}

// Withhold keeps Fields[i] from being forwarded.
func (m *Message) Withhold(i int) { m.Fields[i].ID = FieldWithheld }

// WithholdAll keeps all fields of that name from being forwarded.
func (m *Message) WithholdAll(id FieldID) {
	for i := range m.Fields {
		if m.Fields[i].ID == id {
			m.Withhold(i)
		}
	}
}

// KeepNominated copies what Connection names, which is needed for trailers, so that it outlives the bytes that m was
// parsed from.
func (m *Message) KeepNominated() {
	for i, name := range m.nominated {
		m.nominated[i] = bytes.Clone(name)
	}
}

// Shed forgets the fields, so that m keeps the bytes alive no longer that it was parsed from. What it says about the body
// and the connection stays.
func (m *Message) Shed() {
	m.KeepNominated()
	clear(m.Fields)
	m.Fields, m.Cookies, m.Upgrade = m.Fields[:0], m.Cookies[:0], nil
	m.present, m.repeated = 0, 0
}

// Lookup gives the value of the first field of any name, in whatever case.
func (m *Message) Lookup(name string) (value []byte, ok bool) {
	for i := range m.Fields {
		if f := &m.Fields[i]; foldEqual(f.Name, name) {
			return f.Value, true
		}
	}
	return nil, false
}

// Nominated reports whether Connection names that field, so that it is about this hop only (RFC 9110 section 7.6.1).
func (m *Message) Nominated(name []byte) bool {
	for _, n := range m.nominated {
		if foldEqual(name, n) {
			return true
		}
	}
	return false
}

// clear makes m empty, but for its memory and for how far the head was scanned.
func (m *Message) clear() {
	m.Fields, m.Cookies, m.nominated = m.Fields[:0], m.Cookies[:0], m.nominated[:0]
	m.Minor, m.Body, m.ContentLength, m.KeepAlive, m.Upgrade = 0, BodyNone, -1, false, nil
	m.present, m.repeated = 0, 0
}

// index makes Fields[i] known by its ID.
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

// isRepeated reports whether there is more than one field of that name.
func (m *Message) isRepeated(id FieldID) bool { return m.repeated&(1<<id) != 0 }

// ready reports whether parsing buf can tell more than ErrIncomplete, so that a head that comes in many small pieces
// is searched once, not parsed once per piece. It is parsed when its first bytes are there, when its first line is,
// and when its end is or there is no room left for one.
func (m *Message) ready(buf []byte, lim *Limits) bool {
	if m.scanned == 0 || m.scanned > len(buf) || len(buf) >= lim.HeadBytes {
		return true // also if there are fewer bytes than before: that is another message, and m was not Reset
	}
	if !m.lined {
		return bytes.IndexByte(buf[m.scanned:], '\n') >= 0
	}
	return hasHeadEnd(buf, m.scanned)
}

// parsed turns what a parser said about buf into what the caller is told, and remembers how far buf was searched.
func (m *Message) parsed(n int, err error, buf []byte, lim *Limits) (int, error) {
	m.scanned, m.lined = 0, false
	if err == nil {
		return n, nil
	}
	if err != ErrIncomplete {
		return 0, err
	}
	if len(buf) >= lim.HeadBytes {
		return 0, ErrHeadTooLarge
	}
	m.scanned, m.lined = len(buf), bytes.IndexByte(buf, '\n') >= 0
	return 0, ErrIncomplete
}

// hasHeadEnd reports whether an empty line, or an LF that a parser refuses, is at or after from.
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
