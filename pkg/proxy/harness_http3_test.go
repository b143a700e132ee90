package proxy

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/cookiejar"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// http3Rig also serves HTTP/3, at the port of the address.
func http3Rig(t *testing.T, change ...func(*Options)) (r *rig, addr string) {
	t.Helper()
	r = newRig(t, change...)
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- r.server.ServeHTTP3(socket) }()
	t.Cleanup(func() {
		r.server.Close()
		if err := <-ended; err != nil {
			t.Errorf("serving HTTP/3 ended with: %v", err)
		}
	})
	eventually(t, "HTTP/3 to be served", r.server.AdvertiseHTTP3.Load)
	return r, socket.LocalAddr().String()
}

// http3Client returns a client that uses only HTTP/3, on its own connection.
func http3Client(t *testing.T, change ...func(*tls.Config)) *http.Client {
	t.Helper()
	config := &tls.Config{InsecureSkipVerify: true}
	for _, c := range change {
		c(config)
	}
	transport := &http3.Transport{TLSClientConfig: config, DisableCompression: true}
	t.Cleanup(func() { transport.Close() })
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: transport, Jar: jar}
}
