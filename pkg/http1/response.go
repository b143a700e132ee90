package http1

// Response is the head of a response.
type Response struct {
	Message
	Status int
	Reason []byte
}

// Reset makes r ready for another message and keeps its memory.
func (r *Response) Reset() { panic("later") }

// ParseResponse reads the head at the beginning of buf into r, and gives its length. method is the one that was asked
// with, since it decides the framing. Calls, errors and memory are as with ParseRequest.
// A head with Status 1xx other than 101 is followed by another head.
func ParseResponse(r *Response, buf []byte, lim *Limits, method []byte) (n int, err error) {
	panic("later")
}
