package http1

import "errors"

// ErrIncomplete reports that the input is a valid prefix of a message, and that more bytes are needed.
var ErrIncomplete = errors.New("http1: incomplete message")

// Error is the reason why a message was rejected. The connection must be closed after the error response, because
// the start of the next message is unknown.
type Error struct {
	// Status is the status code for a rejected request. A rejected response always results in 502.
	Status int
	// Reason describes the problem. It is constant, so that it contains no input of the peer and is safe to log.
	Reason string
	// Rule is the kind of the problem.
	Rule Rule
}

func (e *Error) Error() string { return "http1: " + e.Reason }

// Reasons for rejecting a message. They are compared by identity.
var (
	ErrMethod            = &Error{400, "method is not a token", RuleMethod}
	ErrMethodTooLong     = &Error{501, "method is too long", RuleMethod}
	ErrConnect           = &Error{405, "CONNECT is not supported", RuleMethod}
	ErrTrace             = &Error{405, "TRACE is not supported", RuleMethod}
	ErrTarget            = &Error{400, "request target is malformed", RuleTarget}
	ErrTargetTooLong     = &Error{414, "request target is too long", RuleTarget}
	ErrPathEscape        = &Error{400, "path has an invalid percent-encoding", RuleTarget}
	ErrPathAboveRoot     = &Error{400, "path leads above the root", RuleTarget}
	ErrPathAmbiguous     = &Error{400, "path has an ambiguous dot segment", RuleTarget}
	ErrVersion           = &Error{400, "protocol version is malformed", RuleVersion}
	ErrVersionUnknown    = &Error{505, "protocol version is not HTTP/1", RuleVersion}
	ErrStatusLine        = &Error{502, "status line is malformed", RuleStatusLine}
	ErrLineEnd           = &Error{400, "line does not end with CRLF", RuleLineEnd}
	ErrFieldName         = &Error{400, "field name is not a token followed by a colon", RuleFieldName}
	ErrFieldValue        = &Error{400, "field value has a control character", RuleFieldValue}
	ErrFold              = &Error{400, "field line uses obsolete line folding", RuleFolding}
	ErrHeadTooLarge      = &Error{431, "head is too large", RuleHeadSize}
	ErrTooManyFields     = &Error{431, "head has too many fields", RuleHeadSize}
	ErrHostMissing       = &Error{400, "Host is missing", RuleHost}
	ErrHostRepeated      = &Error{400, "Host is repeated", RuleHost}
	ErrHost              = &Error{400, "Host is not a name or address with an optional port", RuleHost}
	ErrHostMismatch      = &Error{400, "Host differs from the request target", RuleHost}
	ErrLength            = &Error{400, "Content-Length is not one decimal number", RuleLength}
	ErrLengthTooLarge    = &Error{413, "Content-Length is out of range", RuleLength}
	ErrLengthAndCoding   = &Error{400, "both Content-Length and Transfer-Encoding are present", RuleLength}
	ErrCoding            = &Error{400, "Transfer-Encoding is malformed or does not end with chunked", RuleCoding}
	ErrCodingUnknown     = &Error{501, "Transfer-Encoding other than chunked is not supported", RuleCoding}
	ErrCodingVersion     = &Error{400, "Transfer-Encoding in an HTTP/1.0 message", RuleCoding}
	ErrConnection        = &Error{400, "Connection is not a list of tokens", RuleConnection}
	ErrConnectionTooLong = &Error{400, "Connection lists too many fields", RuleConnection}
	ErrExpect            = &Error{417, "Expect is not 100-continue", RuleExpect}
	ErrChunkSize         = &Error{400, "chunk size is not a hexadecimal number", RuleChunk}
	ErrChunkTooLarge     = &Error{413, "chunk size is out of range", RuleChunk}
	ErrChunkExtension    = &Error{400, "chunk extension is malformed or too long", RuleChunk}
	ErrChunkEnd          = &Error{400, "chunk does not end with CRLF", RuleChunk}
	ErrTrailer           = &Error{400, "Trailer lists a framing field", RuleTrailer}
	ErrTrailerTooLarge   = &Error{431, "trailer section is too large", RuleTrailer}
)
