package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestHTTP3_sticky(t *testing.T) {
	r, addr := http3Rig(t)
	r.servePods(cookieAffinity(), 3, sayName)
	for range 5 {
		c := http3Client(t)
		first := do(t, c, newRequest(t, http.MethodGet, "https://"+addr+"/", nil))
		if first.major != 3 || len(first.cookies) != 1 || !first.cookies[0].Secure {
			t.Fatalf("got a response in HTTP/%d with %v", first.major, first.cookies)
		}
		for range 10 {
			again := do(t, c, newRequest(t, http.MethodGet, "https://"+addr+"/", nil))
			if again.body != first.body || len(again.cookies) != 0 {
				t.Fatalf("moved from %s to %s with %d cookies", first.body, again.body, len(again.cookies))
			}
		}
	}
}

// A pod receives the same request over HTTP/3 as over HTTP/2.
func TestHTTP3_requestFraming(t *testing.T) {
	r, addr := http3Rig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	c := http3Client(t)
	for _, q := range []struct {
		method string
		body   io.Reader
		want   string
	}{
		{"GET", nil, ""},
		{"HEAD", nil, ""},
		{"DELETE", nil, ""},
		{"POST", strings.NewReader("body"), "Content-Length: 4"},
		{"POST", struct{ io.Reader }{strings.NewReader("body")}, "Transfer-Encoding: chunked"},
		{"DELETE", struct{ io.Reader }{strings.NewReader("body")}, "Transfer-Encoding: chunked"},
	} {
		request := newRequest(t, q.method, "https://"+addr+"/a%2fb/../c?d=e", q.body)
		request.Host = "Shop.Example"
		want := ""
		if q.body != nil {
			want = "body"
		}
		if got := do(t, c, request); got.body != want {
			t.Errorf("%s: %q came back, want %q", q.method, got.body, want)
		}
		heads := p.requests()
		head := heads[len(heads)-1]
		if !strings.HasPrefix(head, q.method+" /c?d=e HTTP/1.1\r\nHost: Shop.Example\r\n") {
			t.Errorf("the pod is sent %q", head)
		}
		framing := strings.Join(append(fieldLines(head, "Content-Length"), fieldLines(head, "Transfer-Encoding")...), " ")
		if framing != q.want {
			t.Errorf("%s is framed by %q, want %q", q.method, framing, q.want)
		}
		if proto := fieldLines(head, "X-Forwarded-Proto"); len(proto) != 1 || proto[0] != "X-Forwarded-Proto: https" {
			t.Errorf("the pod receives %q", proto)
		}
	}
}

func TestHTTP3_bodiesAndTrailers(t *testing.T) {
	r, addr := http3Rig(t)
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		n, _ := io.Copy(w, q.Body)
		w.Header().Set("X-Sum", fmt.Sprintf("%d %s", n, q.Trailer.Get("X-Check")))
	})
	c := http3Client(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for name, length := range map[string]int64{"known length": int64(len(sent)), "unknown length": -1} {
		q := newRequest(t, http.MethodPost, "https://"+addr+"/", bytes.NewReader(sent))
		q.ContentLength = length
		if length < 0 {
			q.Trailer = http.Header{"X-Check": {"done"}}
		}
		got := do(t, c, q)
		if got.body != string(sent) {
			t.Errorf("%s: %d of %d bytes came back", name, len(got.body), len(sent))
		}
		want := strings.TrimSpace(fmt.Sprintf("%d %s", len(sent), q.Trailer.Get("X-Check")))
		if sum := got.trailer.Get("X-Sum"); sum != want {
			t.Errorf("%s: trailer %q, want %q", name, sum, want)
		}
	}
}

func TestHTTP3_truncatedResponseIsReset(t *testing.T) {
	r, addr := http3Rig(t)
	r.serve(nil, startAnswering(t, "pod-a", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"))
	answer, err := http3Client(t).Do(newRequest(t, http.MethodGet, "https://"+addr+"/", nil))
	if err == nil { // the reset may have overtaken the head
		defer answer.Body.Close()
		_, err = io.ReadAll(answer.Body)
	}
	if broken := new(http3.Error); !errors.As(err, &broken) {
		t.Errorf("reading ended with %v, want a reset stream", err)
	}
}

func TestAltSvc_https(t *testing.T) {
	r, _ := http3Rig(t)
	secure := r.listen(r.server.ServeTLS)
	r.serve(nil, startAnswering(t, "pod-a", "HTTP/1.1 200 OK\r\nAlt-Svc: h2=\"evil:443\"\r\nContent-Length: 0\r\n\r\n"))
	for host, want := range map[string]string{
		"shop.example": `h3=":443"; ma=3600`, "shop.example:8443": `h3=":8443"; ma=3600`, "[2001:db8::1]": `h3=":443"; ma=3600`,
		"[2001:db8::1]:444": `h3=":444"; ma=3600`,
	} {
		c, _ := dialTLS(t, secure, "")
		c.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		if got := c.read("GET").header.Values("Alt-Svc"); len(got) != 1 || got[0] != want {
			t.Errorf("%s receives %q, want %q", host, got, want)
		}
	}
	if got := r.dial().get("/").header.Get("Alt-Svc"); strings.Contains(got, "h3") {
		t.Errorf("a cleartext client receives %q", got)
	}
}

func TestAltSvc_everyPodProtocol(t *testing.T) {
	r, _ := http3Rig(t)
	secure := r.listen(r.server.ServeTLS)
	pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
		p.head(stream, true, ":status", "200", "alt-svc", `h2="evil:443"`)
	})
	r.serveBy(overHTTP2, nil, pod.addr)
	c, _ := dialTLS(t, secure, "")
	if got := c.get("/").header.Values("Alt-Svc"); len(got) != 1 || got[0] != `h3=":443"; ma=3600` {
		t.Errorf("a client receives %q", got)
	}
}

func TestHTTP3_disabled(t *testing.T) {
	r, secure := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	c, _ := dialTLS(t, secure, "shop.example")
	if got := c.get("/").header.Values("Alt-Svc"); len(got) > 0 {
		t.Errorf("a client receives %q", got)
	}
}

func TestHTTP3_cancelFreesPod(t *testing.T) {
	r, addr := http3Rig(t)
	p := startSilent(t)
	r.serve(nil, p)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		q, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+addr+"/", nil)
		answer, err := http3Client(t).Do(q)
		if err == nil {
			answer.Body.Close()
		}
		gone <- err
	}()
	eventually(t, "the request to arrive", func() bool { return len(p.requests()) == 1 })
	leave()
	<-gone
	eventually(t, "the pod to be released", func() bool { return p.connections() == 0 })
	r.expectMetric(`limpet_requests_total{code="4xx",pool="shop/cart:80"}`, 1)
}

func TestWebSocket_http3(t *testing.T) {
	r, addr := http3Rig(t)
	p := startWebSocket(t, "pod-a", "welcome")
	r.serve(nil, p)
	conn, err := quic.DialAddr(t.Context(), addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http3.Transport{}
	defer transport.Close()
	client := transport.NewClientConn(conn)
	for protocol, want := range map[string]int{"websocket": 200, "connect-ip": 501} {
		stream, err := client.OpenRequestStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := newRequest(t, http.MethodConnect, "https://shop.example/chat", nil)
		q.Proto = protocol
		if err := stream.SendRequestHeader(q); err != nil {
			t.Fatal(err)
		}
		answer, err := stream.ReadResponse() //nolint:bodyclose // its body is the stream
		if err != nil || answer.StatusCode != want {
			t.Fatalf("%s got %v, %v", protocol, answer, err)
		}
		if want != http.StatusOK {
			continue
		}
		if _, err := stream.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		stream.Close()
		stream.SetReadDeadline(time.Now().Add(testTimeout))
		if all, err := io.ReadAll(stream); err != nil || string(all) != "welcomehellobye" {
			t.Errorf("got %q, %v", all, err)
		}
	}
	r.expectMetric(`limpet_streams{kind="websocket"}`, 0)
	conn.CloseWithError(0x100, "")
}

func TestClientCertificates_http3(t *testing.T) {
	r, addr := http3Rig(t)
	partners, p := newAuthority(t, "partners"), startEcho(t, "pod-a")
	r.serveHosts(p, []string{"shop.example", "plain.example"}, asking("shop.example", true, partners))
	r.certs.Replace([]model.Certificate{certificate(t, nil, "shop.example", "plain.example")})
	alice := partners.issue(pkix.Name{CommonName: "alice"})
	shopName := func(c *tls.Config) { c.ServerName = "shop.example" }
	plainName := func(c *tls.Config) { c.ServerName = "plain.example" }
	for name, c := range map[string]struct {
		client []func(*tls.Config)
		host   string
		want   string
	}{
		"no certificate":                {[]func(*tls.Config){shopName}, "shop.example", "tls: certificate required"},
		"a partner":                     {[]func(*tls.Config){shopName, alice}, "shop.example", "200"},
		"a host that does not ask":      {[]func(*tls.Config){plainName}, "plain.example", "200"},
		"by way of that which does not": {[]func(*tls.Config){plainName}, "shop.example", "421"},
	} {
		t.Run(name, func(t *testing.T) {
			q := newRequest(t, http.MethodGet, "https://"+addr+"/", nil)
			q.Host = c.host
			answer, err := http3Client(t, c.client...).Do(q)
			got := fmt.Sprint(err)
			if err == nil {
				answer.Body.Close()
				got = fmt.Sprint(answer.StatusCode)
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	for _, head := range p.requests() {
		if dn := fieldLines(head, "ssl-client-subject-dn"); strings.Contains(head, "Host: shop") && (len(dn) != 1 || !strings.HasSuffix(dn[0], "CN=alice")) {
			t.Errorf("the pod receives %q", dn)
		}
	}
}

// fits is a body that arrives in these pieces.
type fits []string

func (f *fits) Read(p []byte) (int, error) {
	if len(*f) == 0 {
		return 0, io.EOF
	}
	n := copy(p, (*f)[0])
	*f = (*f)[1:]
	return n, nil
}

func (f *fits) Close() error { return nil }

// A frame without data must not be treated as the last chunk of the body that the pod gets.
func TestHTTP3_emptyFrames(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	q := newRequest(t, http.MethodPost, "http://shop.example/", &fits{"", "one", "", "", "two", ""})
	q.ContentLength, q.RequestURI, q.Proto, q.ProtoMajor = -1, "/", "HTTP/3.0", 3
	near, far := loopbackPair(t)
	defer near.Close()
	defer far.Close()
	c := r.server.newClient(near)
	w := httptest.NewRecorder()
	serveHTTP3Stream(w, q.WithContext(context.WithValue(t.Context(), clientKey{}, c)))
	if w.Code != http.StatusOK || w.Body.String() != "onetwo" {
		t.Errorf("got %d %q", w.Code, w.Body)
	}
}
