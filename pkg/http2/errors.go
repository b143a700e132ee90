package http2

import (
	"errors"
	"strconv"
)

// Code is an HTTP/2 error code (RFC 9113 section 7).
type Code uint32

// The error codes that Limpet sends or checks for.
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

// ResetError reports that a stream was reset, by the peer or because of an error of the peer.
type ResetError struct {
	Code Code
	// ByPeer reports whether the peer sent the reset.
	ByPeer bool
}

// Error implements error.
func (e *ResetError) Error() string {
	text := "http2: stream was reset with code "
	if e.ByPeer {
		text = "http2: peer reset the stream with code "
	}
	return text + strconv.FormatUint(uint64(e.Code), 10)
}

// ConnError reports a protocol error of the peer that ends the connection.
type ConnError struct {
	Code   Code
	Reason string
}

// Error implements error.
func (e *ConnError) Error() string { return "http2: connection error: " + e.Reason }

var (
	// ErrRefused reports that the peer has not processed the request and will not (RFC 9113 section 8.7). The request can be
	// retried.
	ErrRefused = errors.New("http2: peer did not process the request")
	// ErrFull reports that the connection accepts no further streams, now or at all.
	ErrFull = errors.New("http2: connection accepts no further streams")
	// ErrClosed reports that the owner has closed the stream, or that the connection was closed on this side.
	ErrClosed = errors.New("http2: stream or connection closed")
	// ErrFlood reports that the peer exceeded its Budget.
	ErrFlood = errors.New("http2: frame rate exceeds the budget")
)

func protocolError(reason string) error { return &ConnError{CodeProtocol, reason} }

func sizeError(reason string) error { return &ConnError{CodeFrameSize, reason} }

// streamError is a protocol error that ends one stream.
type streamError struct {
	stream uint32
	code   Code
}

// Error implements error.
func (e streamError) Error() string {
	return "http2: stream error with code " + strconv.FormatUint(uint64(e.code), 10)
}
