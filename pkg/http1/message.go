package http1

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
// protocol may fill by Add.
type Message struct {
	// Minor is the x of HTTP/1.x: 0 or 1.
	Minor  int
	Fields []Field
	Body   Framing
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
}

// Add appends a field. The bytes must have been checked; parsers and the HTTP/2 side do that.
func (m *Message) Add(name, value []byte) { panic("later") }

// Has reports whether there is a field of that name.
func (m *Message) Has(id FieldID) bool { return m.present&(1<<id) != 0 }

// Get gives the value of the first field of that name: nil if there is none, empty but not nil if it is empty.
func (m *Message) Get(id FieldID) []byte {
	if !m.Has(id) {
		return nil
	}
	return m.Fields[m.first[id]].Value
}

// Lookup gives the value of the first field of any name, in whatever case.
func (m *Message) Lookup(name string) (value []byte, ok bool) { panic("later") }

// Nominated reports whether Connection names that field, so that it is about this hop only (RFC 9110 section 7.6.1).
func (m *Message) Nominated(name []byte) bool { panic("later") }
