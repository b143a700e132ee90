package http2

import "encoding/binary"

// Frame types (RFC 9113 section 6).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	framePriority     = 0x2
	frameReset        = 0x3
	frameSettings     = 0x4
	framePushPromise  = 0x5
	framePing         = 0x6
	frameGoAway       = 0x7
	frameWindowUpdate = 0x8
	frameContinuation = 0x9
)

const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	frameHeadBytes = 9
	// MaxFrame is the largest frame payload that is accepted: the smallest limit that RFC 9113 section 4.2 allows.
	MaxFrame  = 16 << 10
	maxWindow = 1<<31 - 1 // section 6.9.1
	maxStream = 1<<31 - 1
)

// Preface is the client connection preface (RFC 9113 section 3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// frame is a frame header (RFC 9113 section 4.1).
type frame struct {
	length int
	kind   uint8
	flags  uint8
	stream uint32
}

func parseFrame(b []byte) frame {
	return frame{
		length: int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:   b[3],
		flags:  b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & maxStream,
	}
}

func (f *frame) has(flag uint8) bool { return f.flags&flag != 0 }

// appendFrame appends a frame header.
func appendFrame(b []byte, f frame) []byte {
	b = append(b, byte(f.length>>16), byte(f.length>>8), byte(f.length), f.kind, f.flags)
	return binary.BigEndian.AppendUint32(b, f.stream)
}

func appendReset(b []byte, stream uint32, code Code) []byte {
	b = appendFrame(b, frame{length: 4, kind: frameReset, stream: stream})
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

func appendGoAway(b []byte, last uint32, code Code) []byte {
	b = appendFrame(b, frame{length: 8, kind: frameGoAway})
	b = binary.BigEndian.AppendUint32(b, last)
	return binary.BigEndian.AppendUint32(b, uint32(code))
}

func appendWindowUpdate(b []byte, stream uint32, by int) []byte {
	b = appendFrame(b, frame{length: 4, kind: frameWindowUpdate, stream: stream})
	return binary.BigEndian.AppendUint32(b, uint32(by))
}

func appendPing(b []byte, flags uint8, data [8]byte) []byte {
	b = appendFrame(b, frame{length: 8, kind: framePing, flags: flags})
	return append(b, data[:]...)
}

// appendBlock appends a field section as HEADERS and CONTINUATION frames with at most maxFrame bytes each.
func appendBlock(b []byte, stream uint32, block []byte, end bool, maxFrame int) []byte {
	f := frame{kind: frameHeaders, stream: stream}
	if end {
		f.flags = flagEndStream
	}
	for {
		n := min(len(block), maxFrame)
		if f.length = n; n == len(block) {
			f.flags |= flagEndHeaders
		}
		b = append(appendFrame(b, f), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return b
		}
		f = frame{kind: frameContinuation, stream: stream}
	}
}
