package http2

import "encoding/binary"

// Settings (RFC 9113 section 6.5.2, RFC 8441 section 3).
const (
	settingEnablePush      = 0x2
	settingMaxStreams      = 0x3
	settingInitialWindow   = 0x4
	settingMaxFrame        = 0x5
	settingMaxHeaderList   = 0x6
	settingExtendedConnect = 0x8
)

const (
	initialWindow = 1<<16 - 1
	settingBytes  = 6
	largestFrame  = 1<<24 - 1
)

// peerSettings are the settings of the peer.
type peerSettings struct {
	received      bool // the first SETTINGS frame was received
	maxStreams    uint32
	initialWindow int64
}

// defaultPeerSettings returns the initial values (RFC 9113 section 6.5.2). Streams are only opened after the peer's SETTINGS
// have arrived.
func defaultPeerSettings() peerSettings {
	return peerSettings{maxStreams: maxStream, initialWindow: initialWindow}
}

// set applies one setting and ignores unknown ones. It also ignores HEADER_TABLE_SIZE, because the encoder has no dynamic
// table, and MAX_FRAME_SIZE, because sent frames never exceed the minimum that all peers must accept.
func (s *peerSettings) set(id uint16, value uint32) error {
	switch id {
	case settingEnablePush:
		if value > 1 {
			return protocolError("invalid ENABLE_PUSH")
		}
	case settingMaxStreams:
		s.maxStreams = value
	case settingInitialWindow:
		if value > maxWindow {
			return &ConnError{CodeFlowControl, "INITIAL_WINDOW_SIZE exceeds 2^31-1"}
		}
		s.initialWindow = int64(value)
	case settingMaxFrame:
		if value < MaxFrame || value > largestFrame {
			return protocolError("MAX_FRAME_SIZE is not between 2^14 and 2^24-1")
		}
	case settingExtendedConnect:
		if value > 1 {
			return protocolError("invalid ENABLE_CONNECT_PROTOCOL")
		}
	}
	return nil
}

// processSettings applies the peer's settings and acknowledges them.
func (c *Conn) processSettings(f *frame, p []byte) error {
	if err := checkSettings(f); err != nil || f.has(flagAck) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	oldWindow := c.peer.initialWindow
	for ; len(p) > 0; p = p[settingBytes:] {
		id, value := binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])
		if id == settingEnablePush && value != 0 && !c.isServer() {
			return protocolError("server set ENABLE_PUSH")
		}
		if err := c.peer.set(id, value); err != nil {
			return err
		}
	}
	c.markSettingsReceived()
	c.setOutput(appendFrame(c.output(), frame{kind: frameSettings, flags: flagAck}))
	c.replies++
	return c.adjustStreamWindows(c.peer.initialWindow - oldWindow)
}

func checkSettings(f *frame) error {
	switch {
	case f.stream != 0:
		return protocolError("SETTINGS with a stream ID")
	case f.length%settingBytes != 0 || f.has(flagAck) && f.length > 0:
		return sizeError("SETTINGS with invalid length")
	}
	return nil
}

// adjustStreamWindows adjusts the send windows of all streams. They may become negative (RFC 9113 section 6.9.2).
func (c *Conn) adjustStreamWindows(by int64) error {
	for _, s := range c.streams {
		if s.sendWindow += by; s.sendWindow > maxWindow {
			return &ConnError{CodeFlowControl, "stream window exceeds 2^31-1"}
		}
		if by > 0 {
			s.wakeUnqueuedSender()
		}
	}
	return nil
}

// appendSettings appends the SETTINGS frame, and a WINDOW_UPDATE for the connection window.
func (o *Options) appendSettings(b []byte, isClient bool) []byte {
	all := []setting{
		{settingEnablePush, 0},
		{settingInitialWindow, uint32(o.StreamWindow)},
		{settingMaxFrame, MaxFrame},
		{settingMaxHeaderList, uint32(o.HeadBytes)},
	}
	if !isClient {
		all = append(all, setting{settingMaxStreams, uint32(o.Streams)})
	}
	if o.ExtendedConnect {
		all = append(all, setting{settingExtendedConnect, 1})
	}
	b = appendFrame(b, frame{length: len(all) * settingBytes, kind: frameSettings})
	for _, s := range all {
		b = binary.BigEndian.AppendUint16(b, s.id)
		b = binary.BigEndian.AppendUint32(b, s.value)
	}
	return appendWindowUpdate(b, 0, o.ConnectionWindow-initialWindow)
}

type setting struct {
	id    uint16
	value uint32
}
