package proxy

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// EndReason implements exchange.Downstream.
func (s *http2Stream) EndReason() observe.Failure { return http2EndReason(s.stream.Err()) }

// http2EndReason returns why a stream failed with err.
func http2EndReason(err error) observe.Failure {
	var reset *http2.ResetError
	var conn *http2.ConnError
	switch {
	case errors.As(err, &reset) && !reset.ByPeer:
		return reasonForReset(reset.Code)
	case errors.As(err, &conn), errors.Is(err, http2.ErrFlood):
		return observe.FailureInvalidRequest
	}
	return observe.FailureClientClosed
}

// reasonForReset returns why Limpet has reset a stream with the code.
func reasonForReset(code http2.Code) observe.Failure {
	switch code {
	case http2.CodeProtocol, http2.CodeFlowControl, http2.CodeStreamClosed, http2.CodeFrameSize:
		return observe.FailureInvalidRequest
	case http2.CodeEnhanceYourCalm, http2.CodeRefused:
		return observe.FailureOverload
	}
	return observe.FailureClientClosed
}

// EndReason implements exchange.Downstream.
func (s *http3Stream) EndReason() observe.Failure {
	if s.body.isInvalid.Load() {
		return observe.FailureInvalidRequest
	}
	return http3EndReason(context.Cause(s.r.Context()))
}

// isInvalidBody reports whether reading a body failed with err because the client violated the protocol. For a
// body that does not match its framing, quic-go returns an error without a type.
func isInvalidBody(err error) bool {
	var h3 *http3.Error
	var transport *quic.TransportError
	var network net.Error
	switch {
	case errors.As(err, &h3):
		return !h3.Remote && isViolation(h3.ErrorCode)
	case errors.As(err, &transport):
		return !transport.Remote
	}
	return !errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// http3EndReason returns why the context of a stream ended. Errors that are not remote were detected by quic-go.
func http3EndReason(cause error) observe.Failure {
	var stream *quic.StreamError
	var conn *quic.ApplicationError
	var transport *quic.TransportError
	switch {
	case errors.As(cause, &stream) && !stream.Remote && isViolation(http3.ErrCode(stream.ErrorCode)),
		errors.As(cause, &conn) && !conn.Remote && isViolation(http3.ErrCode(conn.ErrorCode)),
		errors.As(cause, &transport) && !transport.Remote:
		return observe.FailureInvalidRequest
	}
	return observe.FailureClientClosed
}

// isViolation reports whether the code of an error that quic-go detected means that the client violated the protocol. The
// other codes are those with which Limpet and quic-go end streams and connections.
func isViolation(code http3.ErrCode) bool {
	switch code {
	case http3.ErrCodeNoError, http3.ErrCodeInternalError, http3.ErrCodeRequestRejected, http3.ErrCodeRequestCanceled:
		return false
	}
	return true
}
