package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// refusingConn is a connection to a pod at the level of frames. It refuses streams, which net/http cannot do on request.
type refusingConn struct {
	*http2Pod
	s       *storm
	visits  map[uint32]*refusingStream
	leaving bool // it has sent GOAWAY, and ends with its last stream
}

type refusingStream struct {
	e    *stormRequest
	body []byte
}

var errEndConn = errors.New("the pod ends the connection")

func (s *storm) serveRefusing(c *podConn) {
	if _, err := io.ReadFull(c.Reader, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	m := &refusingConn{&http2Pod{http2.NewFramer(c.Conn, c.Reader), c}, s, map[uint32]*refusingStream{}, false}
	m.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	err := m.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 20})
	for err == nil && (!m.leaving || len(m.visits) > 0) {
		var f http2.Frame
		if f, err = m.ReadFrame(); err == nil {
			err = m.take(f)
		}
	}
}

func (m *refusingConn) take(frame http2.Frame) error {
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if !f.IsAck() {
			return m.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !f.IsAck() {
			return m.WritePing(true, f.Data)
		}
	case *http2.RSTStreamFrame:
		delete(m.visits, f.StreamID)
	case *http2.MetaHeadersFrame:
		return m.takeHead(f)
	case *http2.DataFrame:
		return m.takeData(f)
	}
	return nil
}

func (m *refusingConn) takeHead(f *http2.MetaHeadersFrame) error {
	if v := m.visits[f.StreamID]; v != nil { // trailers
		return m.finish(f.StreamID, v)
	}
	u, err := url.ParseRequestURI(f.PseudoValue("path"))
	if err != nil {
		return err
	}
	e, err := parseTarget(u)
	if err != nil || f.PseudoValue("method") != e.Method {
		m.s.fault("a moody pod gets %s %s: %v", f.PseudoValue("method"), u, err)
		return errEndConn
	}
	if m.leaving {
		return nil // above the last stream of GOAWAY
	}
	return m.begin(f, e)
}

func (m *refusingConn) begin(f *http2.MetaHeadersFrame, e *stormRequest) error {
	switch isFirst := m.s.refusesOnce(e); {
	case e.Behavior == refuseOnce && isFirst:
		return m.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
	case e.Behavior == goAwayOnce && isFirst:
		m.leaving = true
		return m.WriteGoAway(f.StreamID-2, http2.ErrCodeNo, nil)
	}
	m.s.noteReceived(e)
	switch {
	case e.Behavior == closeBeforeBody:
		return m.WriteRSTStream(f.StreamID, http2.ErrCodeInternal)
	case f.StreamEnded():
		return m.finish(f.StreamID, &refusingStream{e: e})
	}
	m.visits[f.StreamID] = &refusingStream{e: e}
	if e.Expect {
		m.head(f.StreamID, false, ":status", "100")
	}
	return nil
}

func (m *refusingConn) takeData(f *http2.DataFrame) error {
	if n := uint32(len(f.Data())); n > 0 {
		if err := m.WriteWindowUpdate(0, n); err != nil {
			return err
		}
	}
	v := m.visits[f.StreamID]
	if v == nil {
		return nil // it was reset, or refused
	}
	v.body = append(v.body, f.Data()...)
	if f.StreamEnded() {
		return m.finish(f.StreamID, v)
	}
	if n := uint32(len(f.Data())); n > 0 {
		return m.WriteWindowUpdate(f.StreamID, n)
	}
	return nil
}

// finish responds to a complete request.
func (m *refusingConn) finish(id uint32, v *refusingStream) error {
	delete(m.visits, id)
	if want := v.e.requestBody(); !bytes.Equal(v.body, want) {
		m.s.fault("%s: its pod gets %d of %d bytes, right up to %d", v.e, len(v.body), len(want), commonPrefix(want, v.body))
	}
	body := v.e.responseBody()
	switch {
	case v.e.Behavior == closeAfterBody:
		return errEndConn // for all streams of the connection
	case v.e.Method == http.MethodHead:
		m.head(id, true, ":status", "200", "x-storm-id", v.e.id())
		return nil
	case v.e.Behavior == truncateBody:
		m.head(id, false, ":status", "200", "x-storm-id", v.e.id())
		return errors.Join(m.data(id, body[:len(body)/2]), m.WriteRSTStream(id, http2.ErrCodeInternal))
	}
	m.head(id, false, ":status", "200", "x-storm-id", v.e.id())
	err := m.data(id, body)
	m.head(id, true, "x-storm-id-trailer", v.e.id())
	return err
}

func (m *refusingConn) data(id uint32, body []byte) error {
	for len(body) > 0 {
		n := min(len(body), http2FrameSize)
		if err := m.WriteData(id, false, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
