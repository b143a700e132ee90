package http1

import "errors"

// ErrIncomplete says that the bytes so far are a valid beginning, and that more of them are needed.
var ErrIncomplete = errors.New("http1: incomplete message")

// Error is a message that was refused. The connection that it came by must be closed after the answer, since nobody
// knows where the next message begins.
type Error struct {
	// Status is what to answer a request with. A refused response is answered with 502, whatever Status says.
	Status int
	// Reason says what was wrong. It is constant, so that nothing of a hostile message gets into logs through it.
	Reason string
}

func (e *Error) Error() string { return "http1: " + e.Reason }

// Why a message is refused. They are compared by identity.
var (
	ErrMethod            = &Error{400, "method is not a token"}
	ErrMethodTooLong     = &Error{501, "method is too long"}
	ErrConnect           = &Error{405, "CONNECT is not served"}
	ErrTrace             = &Error{405, "TRACE is not served"}
	ErrTarget            = &Error{400, "request target is malformed"}
	ErrTargetTooLong     = &Error{414, "request target is too long"}
	ErrPathEscape        = &Error{400, "path has a bad percent escape"}
	ErrPathAboveRoot     = &Error{400, "path climbs above the root"}
	ErrPathAmbiguous     = &Error{400, "path has a dot segment in disguise"}
	ErrVersion           = &Error{400, "protocol version is malformed"}
	ErrVersionUnknown    = &Error{505, "protocol version is neither HTTP/1.0 nor HTTP/1.1"}
	ErrStatusLine        = &Error{502, "status line is malformed"}
	ErrLineEnd           = &Error{400, "line does not end in CRLF"}
	ErrFieldName         = &Error{400, "field name is not a token followed by a colon"}
	ErrFieldValue        = &Error{400, "field value has a control character"}
	ErrFold              = &Error{400, "field line is folded"}
	ErrHeadTooLarge      = &Error{431, "head is too large"}
	ErrTooManyFields     = &Error{431, "head has too many fields"}
	ErrHostMissing       = &Error{400, "Host is missing"}
	ErrHostRepeated      = &Error{400, "Host is given more than once"}
	ErrHost              = &Error{400, "Host is not a name or address with an optional port"}
	ErrHostMismatch      = &Error{400, "Host differs from the request target"}
	ErrLength            = &Error{400, "Content-Length is not one decimal number"}
	ErrLengthTooLarge    = &Error{413, "Content-Length is out of range"}
	ErrLengthAndCoding   = &Error{400, "both Content-Length and Transfer-Encoding are given"}
	ErrCoding            = &Error{400, "Transfer-Encoding is malformed or does not end in chunked"}
	ErrCodingUnknown     = &Error{501, "Transfer-Encoding is not just chunked"}
	ErrCodingVersion     = &Error{400, "Transfer-Encoding is given in an HTTP/1.0 message"}
	ErrConnection        = &Error{400, "Connection is not a list of tokens"}
	ErrConnectionTooLong = &Error{400, "Connection names too many fields"}
	ErrExpect            = &Error{417, "Expect is not 100-continue"}
	ErrChunkSize         = &Error{400, "chunk size is not a hexadecimal number"}
	ErrChunkTooLarge     = &Error{413, "chunk size is out of range"}
	ErrChunkExtension    = &Error{400, "chunk extension is malformed or too long"}
	ErrChunkEnd          = &Error{400, "chunk does not end in CRLF"}
	ErrTrailer           = &Error{400, "Trailer announces a field about framing"}
	ErrTrailerTooLarge   = &Error{431, "trailer section is too large"}
)
