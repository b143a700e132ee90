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

// moodyConn is a connection to a pod that is made of frames, and does to streams what net/http cannot be asked for.
type moodyConn struct {
	*http2Pod
	s       *storm
	visits  map[uint32]*moodyVisit
	leaving bool // it has said goodbye, and ends with its last stream
}

type moodyVisit struct {
	e    *errand
	body []byte
}

var errMoody = errors.New("the pod does not want to go on")

func (s *storm) beMoody(c *podConn) {
	if _, err := io.ReadFull(c.Reader, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	m := &moodyConn{&http2Pod{http2.NewFramer(c.Conn, c.Reader), c}, s, map[uint32]*moodyVisit{}, false}
	m.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	err := m.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 20})
	for err == nil && (!m.leaving || len(m.visits) > 0) {
		var f http2.Frame
		if f, err = m.ReadFrame(); err == nil {
			err = m.take(f)
		}
	}
}

func (m *moodyConn) take(frame http2.Frame) error {
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

func (m *moodyConn) takeHead(f *http2.MetaHeadersFrame) error {
	if v := m.visits[f.StreamID]; v != nil { // trailers
		return m.finish(f.StreamID, v)
	}
	u, err := url.ParseRequestURI(f.PseudoValue("path"))
	if err != nil {
		return err
	}
	e, err := errandOf(u)
	if err != nil || f.PseudoValue("method") != e.Method {
		m.s.fault("a moody pod gets %s %s: %v", f.PseudoValue("method"), u, err)
		return errMoody
	}
	if m.leaving {
		return nil // as the goodbye said
	}
	return m.begin(f, e)
}

func (m *moodyConn) begin(f *http2.MetaHeadersFrame, e *errand) error {
	switch isFirst := m.s.isFirst(e); {
	case e.Manner == refusing && isFirst:
		return m.WriteRSTStream(f.StreamID, http2.ErrCodeRefusedStream)
	case e.Manner == leaving && isFirst:
		m.leaving = true
		return m.WriteGoAway(f.StreamID-2, http2.ErrCodeNo, nil)
	}
	m.s.arrived(e)
	switch {
	case e.Manner == deaf:
		return m.WriteRSTStream(f.StreamID, http2.ErrCodeInternal)
	case f.StreamEnded():
		return m.finish(f.StreamID, &moodyVisit{e: e})
	}
	m.visits[f.StreamID] = &moodyVisit{e: e}
	if e.Expect {
		m.head(f.StreamID, false, ":status", "100")
	}
	return nil
}

func (m *moodyConn) takeData(f *http2.DataFrame) error {
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

// finish answers what has come whole.
func (m *moodyConn) finish(id uint32, v *moodyVisit) error {
	delete(m.visits, id)
	if want := v.e.request(); !bytes.Equal(v.body, want) {
		m.s.fault("%s: its pod gets %d of %d bytes, right up to %d", v.e, len(v.body), len(want), commonPrefix(want, v.body))
	}
	body := v.e.answer()
	switch {
	case v.e.Manner == silent:
		return errMoody // for all streams of the connection
	case v.e.Method == http.MethodHead:
		m.head(id, true, ":status", "200", "x-errand", v.e.name())
		return nil
	case v.e.Manner == cutShort:
		m.head(id, false, ":status", "200", "x-errand", v.e.name())
		return errors.Join(m.data(id, body[:len(body)/2]), m.WriteRSTStream(id, http2.ErrCodeInternal))
	}
	m.head(id, false, ":status", "200", "x-errand", v.e.name())
	err := m.data(id, body)
	m.head(id, true, "x-errand-end", v.e.name())
	return err
}

func (m *moodyConn) data(id uint32, body []byte) error {
	for len(body) > 0 {
		n := min(len(body), http2FrameSize)
		if err := m.WriteData(id, false, body[:n]); err != nil {
			return err
		}
		body = body[n:]
	}
	return nil
}
