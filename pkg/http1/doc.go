// Package http1 is the HTTP/1.1 wire (RFC 9112): it reads message heads and chunked bodies strictly, says how a body
// is framed and which fields may be forwarded, and appends what goes out.
//
// It decides what is a valid message. Anything that two readers could take differently is refused, never repaired:
// an error means that the connection has to be closed. It also decides which fields are about one hop only, and what
// a path looks like once it is normal.
//
// It leaves to others: sockets, timeouts and buffers (the connection hands in bytes and asks again with more), what a
// request is answered with, and which fields a proxy adds. What is forwarded is always written anew from the parsed
// parts, never copied through: so Host, the framing fields, Connection, TE and Upgrade are the writer's own.
//
// Results point into the caller's buffer and are valid as long as its bytes are. The structs are reused from message
// to message; in steady state nothing is allocated. Nothing here is safe for concurrent use.
package http1
