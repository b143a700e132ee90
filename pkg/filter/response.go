package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// Response is a response that Limpet makes itself. Whoever sends it does not modify it, so one may be shared by many requests.
//
// The sender adds Content-Length, X-Request-ID, Date, Server and what the response filters of the route add.
type Response struct {
	Status int
	// Fields are header fields besides those that the sender adds. Add Content-Type if there is a Body.
	Fields []http1.Field
	// Body may be empty.
	Body []byte
	// Close says that the connection carries no further request, because the rest of this one cannot be relied on.
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
