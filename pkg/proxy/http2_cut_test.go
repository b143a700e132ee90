package proxy

import (
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
)

// A connection that ends is not the end of the bodies on it: what a pod has got of one must not pass for the whole.
func TestUpload_truncated(t *testing.T) {
	for name, cut := range map[string]func(p *peer){
		"connection closed": func(p *peer) { p.conn.Close() },
		"connection reset":  func(p *peer) { resetTCP(p.conn) },
		"half closed":       func(p *peer) { p.must(p.conn.(*net.TCPConn).CloseWrite()) },
		"protocol broken":   func(p *peer) { p.must(p.WriteData(0, true, nil)) },
		"stream reset":      func(p *peer) { p.must(p.WriteRSTStream(1, http2.ErrCodeCancel)) },
		"stream reset without an error": func(p *peer) {
			p.must(p.WriteRSTStream(1, http2.ErrCodeNo))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			began, read := make(chan struct{}), make(chan error, 1)
			r.servePods(nil, 1, func(_ string, _ http.ResponseWriter, q *http.Request) {
				_, _ = io.ReadFull(q.Body, make([]byte, 4))
				close(began)
				_, err := io.ReadAll(q.Body)
				read <- err
			})
			p := dialHTTP2(t, r.addr)
			p.must(p.open(1, false, plainPost...), p.WriteData(1, false, []byte("half")))
			<-began
			cut(p)
			if err := <-read; err == nil {
				t.Error("the pod takes half a body for the whole")
			}
		})
	}
}

// The same the other way round.
func TestTruncated_http2Pod(t *testing.T) {
	pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
		p.head(stream, false, ":status", "200")
		p.WriteData(stream, false, []byte("half"))
		p.conn.Conn.Close()
	})
	r := newRig(t)
	r.serveBy(overHTTP2, nil, pod.addr)
	answer, err := http2Client(t).Do(newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("%q passes for the whole response", got)
	}
}
