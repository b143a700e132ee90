package upstream

import "slices"

// maxOwned is the maximum number of connections that an Owned keeps.
const maxOwned = 4

// Owned keeps the idle connections that belong to one client connection, because their pods authenticate connections instead
// of requests. No other client may use them. The zero value is empty. It is not safe for concurrent use.
type Owned struct{ conns []*Conn }

// Take returns the connection to e with that transport, or nil. It closes connections that cannot be used anymore. deferCheck
// has the same meaning as for Endpoint.TakeIdle.
func (o *Owned) Take(e *Endpoint, t *Transport, deferCheck bool) *Conn {
	for i := len(o.conns) - 1; i >= 0; i-- {
		conn := o.conns[i]
		if !conn.isTo(e, t) {
			continue
		}
		o.conns = slices.Delete(o.conns, i, i+1)
		conn.CheckBeforeWrite()
		if deferCheck || !conn.Stale() {
			return conn
		}
		conn.Close()
	}
	return nil
}

// Has reports whether there is a connection to e with that transport.
func (o *Owned) Has(e *Endpoint, t *Transport) bool {
	return slices.ContainsFunc(o.conns, func(c *Conn) bool { return c.isTo(e, t) })
}

// IsEmpty reports whether there is no connection.
func (o *Owned) IsEmpty() bool { return len(o.conns) == 0 }

// Put keeps a connection to e after an exchange that ended cleanly. It closes the connection if e was removed, and the oldest
// one if there are too many.
func (o *Owned) Put(conn *Conn, e *Endpoint) {
	conn.Release()
	conn.Reused, conn.endpoint = true, e.endpointState
	if e.retired.Load() {
		conn.Close()
		return
	}
	if len(o.conns) == maxOwned {
		o.conns[0].Close()
		o.conns = slices.Delete(o.conns, 0, 1)
	}
	o.conns = append(o.conns, conn)
}

// Close closes all connections. It only reads an empty Owned: streams of the client connection may still copy it.
func (o *Owned) Close() {
	if len(o.conns) == 0 {
		return
	}
	for _, conn := range o.conns {
		conn.Close()
	}
	o.conns = nil
}

// isTo reports whether a connection of an Owned is one to e with that transport.
func (c *Conn) isTo(e *Endpoint, t *Transport) bool {
	return c.endpoint == e.endpointState && c.transport == t
}
