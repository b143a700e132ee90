package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// Response is a response that Limpet generates. Senders must not modify it, so many requests may share one.
//
// The sender adds Content-Length, X-Request-ID, Date, Server and the fields of the route's response filters.
type Response struct {
	Status int
	// Fields are header fields in addition to those of the sender. Add Content-Type if there is a Body.
	Fields []http1.Field
	// Body may be empty. It is not sent with a status that allows no content.
	Body []byte
	// LengthUnknown is true if Body is empty only because the client sent HEAD. The response then has no Content-Length.
	LengthUnknown bool
	// GRPCStatus replaces the gRPC status of Status. Zero does not.
	GRPCStatus int
	// Close closes the connection after the response, because the rest of the request must not be processed.
	Close bool
}

var (
	contentType = []byte("Content-Type")
	plainText   = []byte("text/plain; charset=utf-8")
)

// NewText returns a response whose body is one line of plain text.
func NewText(status int, text string) *Response {
	r := &Response{Status: status, Body: []byte(text + "\n")}
	return r.With(contentType, plainText)
}

// With adds a field to r and returns r. The name and the value must be valid; they are not copied.
func (r *Response) With(name, value []byte) *Response {
	r.Fields = append(r.Fields, http1.Field{Name: name, Value: value, ID: http1.NameID(name)})
	return r
}

// Closing sets Close and returns r.
func (r *Response) Closing() *Response {
	r.Close = true
	return r
}
