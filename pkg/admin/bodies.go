package admin

import (
	"io"
	"net/http"
	"time"
)

// bodyTimeout is how long a client may take to send the body of a request. Bodies are manifests at most.
const bodyTimeout = 30 * time.Second

// boundBodies bounds the time for the body of each request. http.Server.ReadTimeout would also end handlers that run for longer,
// such as those of event streams and of drains that wait.
func boundBodies(next http.Handler) http.Handler {
	return boundBodiesBy(bodyTimeout, next)
}

func boundBodiesBy(timeout time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			connection := http.NewResponseController(w)
			_ = connection.SetReadDeadline(time.Now().Add(timeout)) // only writers of tests do not support it
			r.Body = &timedBody{r.Body, connection}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody is a body that must be read by a deadline. The deadline ends with the body.
type timedBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}
