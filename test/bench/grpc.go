package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// window is the flow control window of clients and pods, large enough not to limit anything.
const window = 1 << 30

// defaultWindow is the initial window (RFC 9113, section 6.9.2).
const defaultWindow = 65535

// h2 is one end of an HTTP/2 connection. It does not track the windows of its peer, because the data in flight is
// always below the default window.
type h2 struct {
	*http2.Framer
	out     *bufio.Writer
	in      *bufio.Reader
	encoder *hpack.Encoder
	block   bytes.Buffer
	taken   uint32 // bytes of DATA read since the last WINDOW_UPDATE
}

func newH2(conn net.Conn) *h2 {
	h := &h2{out: bufio.NewWriterSize(conn, 32<<10), in: bufio.NewReaderSize(conn, 32<<10)}
	h.Framer = http2.NewFramer(h.out, h.in)
	h.SetReuseFrames()
	h.encoder = hpack.NewEncoder(&h.block)
	return h
}

// greet sends SETTINGS.
func (h *h2) greet(settings ...http2.Setting) error {
	settings = append(settings, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	if err := h.WriteSettings(settings...); err != nil {
		return err
	}
	return h.WriteWindowUpdate(0, window-defaultWindow)
}

// next returns the next frame of a stream. It flushes buffered writes before it waits.
func (h *h2) next() (http2.Frame, error) {
	for {
		if h.in.Buffered() == 0 {
			if err := h.out.Flush(); err != nil {
				return nil, err
			}
		}
		f, err := h.ReadFrame()
		if err != nil {
			return nil, err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			err = h.accept(f)
		case *http2.PingFrame:
			if !f.IsAck() {
				err = h.WritePing(true, f.Data)
			}
		case *http2.WindowUpdateFrame:
		case *http2.DataFrame:
			return f, h.took(f.Length)
		default:
			return f, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// accept acknowledges the peer's settings.
func (h *h2) accept(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	if size, ok := f.Value(http2.SettingHeaderTableSize); ok {
		h.encoder.SetMaxDynamicTableSize(min(size, 4096))
	}
	return h.WriteSettingsAck()
}

// took sends WINDOW_UPDATE for the connection from time to time.
func (h *h2) took(length uint32) error {
	h.taken += length
	if h.taken < window/2 {
		return nil
	}
	given := h.taken
	h.taken = 0
	return h.WriteWindowUpdate(0, given)
}

// head writes a HEADERS frame with alternating names and values, for a head or trailers.
func (h *h2) head(stream uint32, end bool, fields ...string) error {
	h.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		if err := h.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			return err
		}
	}
	return h.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: h.block.Bytes(), EndStream: end, EndHeaders: true,
	})
}

// message returns an uncompressed gRPC message with its length prefix.
func message(text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
}

// serveGRPC responds to every stream with one message that starts with the pod's name.
func serveGRPC(conn net.Conn, name string) {
	defer conn.Close()
	h := newH2(conn)
	if _, err := io.ReadFull(h.in, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	if err := h.greet(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1000}); err != nil {
		return
	}
	answer := message(padded(name, smallBody))
	for {
		f, err := h.next()
		if err != nil {
			return
		}
		if endsStream(f) && h.answerUnary(f.Header().StreamID, answer) != nil {
			return
		}
	}
}

// endsStream reports whether the frame ends its stream.
func endsStream(f http2.Frame) bool {
	kind := f.Header().Type
	return (kind == http2.FrameHeaders || kind == http2.FrameData) && f.Header().Flags.Has(http2.FlagDataEndStream)
}

func (h *h2) answerUnary(stream uint32, answer []byte) error {
	if err := h.head(stream, false, ":status", "200", "content-type", "application/grpc"); err != nil {
		return err
	}
	if err := h.WriteData(stream, false, answer); err != nil {
		return err
	}
	return h.head(stream, true, "grpc-status", "0")
}
