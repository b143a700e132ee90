package http1

// ForwardRequestField reports whether f of r goes to the next hop as it is.
func ForwardRequestField(f *Field, r *Request) bool { panic("later") }

// ForwardResponseField reports whether f of r goes to the client as it is.
func ForwardResponseField(f *Field, r *Response) bool { panic("later") }

// ForwardTrailer reports whether f of the trailers that followed m goes to the next hop.
func ForwardTrailer(f *Field, m *Message) bool { panic("later") }
