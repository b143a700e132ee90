package http2

import (
	"errors"
	"strconv"
)

// Code says why a stream or a connection ends (RFC 9113 section 7).
type Code uint32

// The codes that Limpet sends or looks for.
const (
	CodeNone            Code = 0x0
	CodeProtocol        Code = 0x1
	CodeInternal        Code = 0x2
	CodeFlowControl     Code = 0x3
	CodeStreamClosed    Code = 0x5
	CodeFrameSize       Code = 0x6
	CodeRefused         Code = 0x7
	CodeCancel          Code = 0x8
	CodeCompression     Code = 0x9
	CodeEnhanceYourCalm Code = 0xb
)

// ResetError says that a stream was reset, by the peer or for what it did.
type ResetError struct {
	Code Code
	// ByPeer tells a reset that was received.
	ByPeer bool
}

// Error is part of error.
func (e *ResetError) Error() string {
	who := "the stream was reset, with code "
	if e.ByPeer {
		who = "the peer has reset the stream, with code "
	}
	return who + strconv.FormatUint(uint64(e.Code), 10)
}

// ConnError says that the peer broke the protocol in a way that ends the connection.
type ConnError struct {
	Code   Code
	Reason string
}

// Error is part of error.
func (e *ConnError) Error() string { return "HTTP/2: " + e.Reason }

var (
	// ErrRefused says that the peer has not begun, and will not, with what the stream asks for (RFC 9113 section 8.7): it
	// may be asked for again.
	ErrRefused = errors.New("the peer has not taken the stream")
	// ErrFull says that the connection takes no further stream now, or never again.
	ErrFull = errors.New("the connection takes no further stream")
	// ErrClosed says that the stream's owner has let go of it, or that the connection was closed here.
	ErrClosed = errors.New("closed")
	// ErrFlood says that the peer had more done than it may: see Budget.
	ErrFlood = errors.New("more HTTP/2 frames that carry nothing than are allowed")
)

func protocolError(reason string) error { return &ConnError{CodeProtocol, reason} }

func sizeError(reason string) error { return &ConnError{CodeFrameSize, reason} }

// streamError ends one stream.
type streamError struct {
	stream uint32
	code   Code
}

// Error is part of error.
func (e streamError) Error() string {
	return "HTTP/2: stream error " + strconv.FormatUint(uint64(e.code), 10)
}
