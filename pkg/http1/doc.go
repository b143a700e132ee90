// Package http1 implements the HTTP/1.1 message format (RFC 9112). It parses message heads and chunked bodies,
// determines the framing of bodies and which fields may be forwarded, and serializes messages.
//
// Parsing is strict. Any input that two recipients could interpret differently is rejected and never repaired.
// After an error the connection must be closed. Responses may deviate from the grammar in a few ways that have one
// interpretation, such as a bare LF at the end of all lines (docs/adr/0051). The package also defines which fields are
// hop-by-hop, and normalizes paths.
//
// Sockets, timeouts, responses and the fields that a proxy adds are the concern of callers. Forwarded messages are
// always serialized from the parsed parts and never copied through. Host, the framing fields, Connection, TE and
// Upgrade are written by the caller.
//
// Parsed results point into the caller's buffer, and are valid as long as its bytes are. Structs are reused for
// several messages, so that nothing is allocated in the steady state. Unless noted otherwise, nothing is safe for
// concurrent use.
package http1
