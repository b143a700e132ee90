// Package http2 implements HTTP/2 (RFC 9113) for both sides of a connection: frames, field sections, flow control and
// streams.
//
// It validates what the peer sends, and limits what it may have in flight, hold in memory and cause in work. Field sections
// are decoded by golang.org/x/net/http2/hpack. They are encoded without a dynamic table, so that any goroutine can encode one
// without synchronization (docs/adr/0038).
//
// The meaning of requests is left to pkg/exchange, and dialing to pkg/upstream. Callers bound waits by setting a deadline in
// the past, which interrupts them.
//
// One goroutine reads the connection: the one that calls Serve. Any goroutine may send: its frames are buffered in an output.
// A writer goroutine exists while there is output. It yields to all runnable goroutines before each write, so that the
// responses of many streams are written in one system call and one TLS record.
//
// Start reading with conn.go and stream.go, which define the exported types. Received frames pass through reader.go to
// headers.go (fieldsection.go validates the fields) or data.go. Sent frames pass from write.go and send.go through
// sendqueue.go, which shares the connection window between streams, to output.go. budget.go limits floods, shutdown.go has
// the graceful shutdown of a server, and client.go the parts that only a client needs.
package http2
