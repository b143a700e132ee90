// Package http2 is the HTTP/2 wire (RFC 9113), of either side of a connection: frames, field sections, flow control, and
// the streams.
//
// It decides what the peer may do to the connection: what is malformed, how much it may have in flight, hold in memory,
// and make us do. Field sections are decompressed by golang.org/x/net/http2/hpack; those that are sent are written without
// a dynamic table, so that any goroutine may write one without asking the others (docs/adr/0038).
//
// It leaves to others what a request means and where it goes (pkg/exchange), how long to wait (a deadline that has passed ends
// a wait), and dialling (pkg/upstream).
//
// A connection is read by one goroutine, the one that calls Serve. What is to be sent is collected, by whichever goroutine
// has it, and written by one that exists for as long as there is something to write: it lets everything else that can run
// go first, so that the answers of many streams go out in one system call and one TLS record.
//
// To read it, begin with conn.go and stream.go, which have the two types that others see. What comes goes through reader.go to
// headers.go (section.go has the fields) or data.go; what is sent goes from write.go and send.go through turns.go, where
// streams share a window, to output.go. budget.go bounds floods, leave.go and client.go have what one side does and not the
// other.
package http2
