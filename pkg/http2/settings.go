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

// settings are those of the peer.
type peerSettings struct {
	received      bool // they have come
	maxStreams    uint32
	initialWindow int64
}

// defaultSettings are those of a peer that says nothing else. Nothing is asked of it before it has had its say.
func defaultPeerSettings() peerSettings {
	return peerSettings{maxStreams: maxStream, initialWindow: initialWindow}
}

// set takes one setting over. Those that are not known are passed over. The size of the dynamic table is nothing to us: we
// have none. Nor is that of frames: ours are never longer than what all must take.
func (s *peerSettings) set(id uint16, value uint32) error {
	switch id {
	case settingEnablePush:
		if value > 1 {
			return protocolError("ENABLE_PUSH is neither 0 nor 1")
		}
	case settingMaxStreams:
		s.maxStreams = value
	case settingInitialWindow:
		if value > maxWindow {
			return &ConnError{CodeFlowControl, "INITIAL_WINDOW_SIZE is above 2^31-1"}
		}
		s.initialWindow = int64(value)
	case settingMaxFrame:
		if value < MaxFrame || value > largestFrame {
			return protocolError("MAX_FRAME_SIZE is not from 2^14 to 2^24-1")
		}
	case settingExtendedConnect:
		if value > 1 {
			return protocolError("ENABLE_CONNECT_PROTOCOL is neither 0 nor 1")
		}
	}
	return nil
}

// takeSettings applies what the peer has set, and acknowledges it.
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
			return protocolError("ENABLE_PUSH is not 0, from the side that is asked")
		}
		if err := c.peer.set(id, value); err != nil {
			return err
		}
	}
	c.markSettingsReceived()
	c.collect(appendFrame(c.output(), frame{kind: frameSettings, flags: flagAck}))
	c.replies++
	return c.adjustStreamWindows(c.peer.initialWindow - oldWindow)
}

func checkSettings(f *frame) error {
	switch {
	case f.stream != 0:
		return protocolError("SETTINGS on a stream")
	case f.length%settingBytes != 0 || f.has(flagAck) && f.length > 0:
		return sizeError("SETTINGS of a length that cannot be")
	}
	return nil
}

// moveWindows changes the windows of all streams, which may be negative then (RFC 9113 section 6.9.2).
func (c *Conn) adjustStreamWindows(by int64) error {
	for _, s := range c.streams {
		if s.sendWindow += by; s.sendWindow > maxWindow {
			return &ConnError{CodeFlowControl, "a window is above 2^31-1"}
		}
		if by > 0 {
			s.wakeUnqueuedSender()
		}
	}
	return nil
}

// appendSettings writes our own, and opens the window of the connection.
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
