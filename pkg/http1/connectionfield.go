package http1

// maxNominated is the maximum number of fields listed in Connection. Each field of the message is compared with them.
const maxNominated = 16

// setConnection parses Connection, and Upgrade if Connection lists it (RFC 9110, sections 7.6.1 and 7.8).
func (m *Message) setConnection() error {
	m.KeepAlive = m.Minor == 1
	if !m.Has(FieldConnection) {
		return nil
	}
	var c connection
	for i := range m.Fields {
		if m.Fields[i].ID != FieldConnection {
			continue
		}
		if err := c.read(m, m.Fields[i].Value); err != nil {
			return err
		}
	}
	m.KeepAlive = !c.close && (m.KeepAlive || c.keepAlive)
	// Upgrade must be ignored in HTTP/1.0 messages. A repeated Upgrade field is ignored too.
	if c.upgrade && m.Minor == 1 && !m.IsRepeated(FieldUpgrade) {
		m.Upgrade = m.Get(FieldUpgrade)
	}
	return nil
}

// connection holds the connection options (RFC 9110, section 7.6.1).
type connection struct{ close, keepAlive, upgrade bool }

// read parses the options of one Connection field of m.
func (c *connection) read(m *Message, list []byte) error {
	for option, rest := nextElement(list); option != nil; option, rest = nextElement(rest) {
		switch {
		case foldEqual(option, "close"):
			c.close = true
		case foldEqual(option, "keep-alive"):
			c.keepAlive = true
		case foldEqual(option, "upgrade"):
			c.upgrade = true
		case !allOf(option, classToken):
			return ErrConnection
		case len(m.nominated) == maxNominated:
			return ErrConnectionTooLong
		default:
			m.nominated = append(m.nominated, option)
		}
	}
	return nil
}

// listContains reports whether any field with the ID lists word, compared case-insensitively.
func (m *Message) listContains(id FieldID, word string) bool {
	if !m.Has(id) {
		return false
	}
	for i := range m.Fields {
		if m.Fields[i].ID == id && listHas(m.Fields[i].Value, word) {
			return true
		}
	}
	return false
}

func listHas(list []byte, word string) bool {
	for element, rest := nextElement(list); element != nil; element, rest = nextElement(rest) {
		if foldEqual(element, word) {
			return true
		}
	}
	return false
}
