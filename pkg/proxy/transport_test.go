package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var transports = map[string]model.Transport{
	"HTTP/1.1":          {},
	"HTTP/1.1 over TLS": {TLS: true, ServerName: backendName},
	"HTTP/2":            {HTTP2: true},
	"HTTP/2 over TLS":   {HTTP2: true, TLS: true, ServerName: backendName},
}

// eachTransport runs a test for every way to speak to a pod and every way for a client to speak to Limpet. url ends
// without a slash.
func eachTransport(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, c *http.Client, url string)) {
	pair, authority := podCertificate(t)
	for towards, transport := range transports {
		pod := startBackend(t, nil, handler)
		if transport.TLS {
			pod = startBackend(t, &pair, handler)
			transport.AuthorityPEM = authority
		}
		for from, client := range map[string]*http.Client{"HTTP/1.1": http1Client(t), "HTTP/2": http2Client(t)} {
			t.Run(from+" to "+towards, func(t *testing.T) {
				r := newRig(t)
				r.serveBy(transport, cookieAffinity(), addressOf(pod))
				test(t, client, "http://"+r.addr)
			})
		}
	}
}

func http1Client(t testing.TB) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestTransport_routeProtocol(t *testing.T) {
	say := func(w http.ResponseWriter, q *http.Request) {
		fmt.Fprintf(w, "%s %s %t %q %s %q", q.Proto, q.RequestURI, q.TLS != nil, q.Header["User-Agent"],
			q.Header.Get("X-Forwarded-For"), q.Header["Cookie"])
	}
	eachTransport(t, say, func(t *testing.T, c *http.Client, url string) {
		first := do(t, c, newRequest(t, http.MethodGet, url, nil))
		if len(first.cookies) != 1 {
			t.Fatalf("%d cookies came with the first response", len(first.cookies))
		}
		q := newRequest(t, http.MethodGet, url+"//a/%2F;b?c=%20&d", nil)
		q.Header["User-Agent"] = []string{""}
		q.Header.Set("Cookie", "other=1; limpet-cart="+first.cookies[0].Value)
		got := do(t, c, q)
		towards := t.Name()[strings.LastIndex(t.Name(), "to_")+3:]
		proto := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[strings.HasPrefix(towards, "HTTP/2")]
		want := fmt.Sprintf(`%s //a/%%2F;b?c=%%20&d %t [] 127.0.0.1 ["other=1"]`, proto, strings.HasSuffix(towards, "TLS"))
		if got.body != want {
			t.Errorf("the pod saw %s, want %s", got.body, want)
		}
		if len(got.cookies) != 0 {
			t.Errorf("%d cookies came with the second response", len(got.cookies))
		}
	})
}

func TestBodiesAndTrailers_everyProtocol(t *testing.T) {
	echo := func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("X-Length", fmt.Sprint(q.ContentLength))
		_ = http.NewResponseController(w).EnableFullDuplex() // needless in HTTP/2
		n, _ := io.Copy(w, q.Body)
		w.Header().Set("X-Sum", fmt.Sprintf("%d %s", n, q.Trailer.Get("X-Check")))
	}
	eachTransport(t, echo, func(t *testing.T, c *http.Client, url string) {
		for _, size := range []int{1, 1000, 1 << 20} {
			sent := bytes.Repeat([]byte("x"), size)
			for _, length := range []int64{int64(size), -1} {
				q := newRequest(t, http.MethodPost, url+"/", bytes.NewReader(sent))
				if q.ContentLength = length; length < 0 {
					q.Trailer = http.Header{"X-Check": {"done"}}
				}
				got := do(t, c, q)
				if got.body != string(sent) || got.header.Get("X-Length") != fmt.Sprint(length) {
					t.Errorf("%d of %d bytes came back; the pod saw length %s", len(got.body), size, got.header.Get("X-Length"))
				}
				want := strings.TrimSpace(fmt.Sprintf("%d %s", size, q.Trailer.Get("X-Check")))
				if sum := strings.TrimSpace(got.trailer.Get("X-Sum")); sum != want {
					t.Errorf("trailer %q, want %q", sum, want)
				}
			}
		}
	})
}

func TestInterimAndBodiless_everyProtocol(t *testing.T) {
	early := func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/hint":
			w.Header().Set("Link", "</style.css>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			io.WriteString(w, "late")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/same":
			w.Header().Set("ETag", `"a"`)
			w.WriteHeader(http.StatusNotModified)
		default:
			w.Header().Set("Content-Length", "4")
			io.WriteString(w, "body")
		}
	}
	eachTransport(t, early, func(t *testing.T, c *http.Client, url string) {
		var hints atomic.Int32
		trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if code == http.StatusEarlyHints && header.Get("Link") != "" {
				hints.Add(1)
			}
			return nil
		}}
		q := newRequest(t, http.MethodGet, url+"/hint", nil)
		got := do(t, c, q.WithContext(httptrace.WithClientTrace(q.Context(), trace)))
		if got.body != "late" || hints.Load() != 1 {
			t.Errorf("%q after %d hints", got.body, hints.Load())
		}
		for path, want := range map[string]string{"/none": "", "/same": ""} {
			if got := do(t, c, newRequest(t, http.MethodGet, url+path, nil)); got.body != want {
				t.Errorf("%s: %q", path, got.body)
			}
		}
		if got := do(t, c, newRequest(t, http.MethodHead, url+"/", nil)); got.header.Get("Content-Length") != "4" {
			t.Errorf("HEAD: Content-Length is %q", got.header.Get("Content-Length"))
		}
	})
}

func TestExpect_100Continue(t *testing.T) {
	pod := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) { io.Copy(w, q.Body) })
	r := newRig(t)
	r.serveBy(model.Transport{HTTP2: true}, nil, addressOf(pod))
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if line := client.line(); line != "HTTP/1.1 100 Continue" {
		t.Fatalf("got %q", line)
	}
	client.line()
	client.send("body")
	client.read("POST").expectOK(t, "body")
}

func TestHTTP2Pod_notNegotiated(t *testing.T) {
	pair, _ := podCertificate(t)
	l := loopback(t)
	go http.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}}), http.NotFoundHandler())
	t.Cleanup(func() { l.Close() })
	r := newRig(t)
	r.serveBy(model.Transport{HTTP2: true, TLS: true, ServerName: backendName}, nil, l.Addr().String())
	r.dial().get("/").expectStatus(t, 503)
}

func TestBackendTLS_staleConnection(t *testing.T) {
	pair, _ := podCertificate(t)
	pod := startBackend(t, &pair, func(w http.ResponseWriter, q *http.Request) { io.Copy(w, q.Body) })
	r := newRig(t)
	r.serveBy(model.Transport{TLS: true, ServerName: backendName}, nil, addressOf(pod))
	client := r.dial()
	for range 5 {
		client.post("/", "body").expectOK(t, "body")
		e := r.pools.Pool(cart).Set().Endpoint(0)
		transport := r.pools.Pool(cart).Transport(model.Transport{TLS: true, ServerName: backendName})
		var conn *upstream.Conn
		eventually(t, "the connection to be kept", func() bool {
			conn = e.TakeIdle(0, transport, false)
			return conn != nil
		})
		pod.CloseClientConnections()
		eventually(t, "the idle connection to be stale", conn.Stale)
		e.PutIdle(conn, 0, time.Now())
	}
}

func TestWebSocket_tlsPod(t *testing.T) {
	pair, _ := podCertificate(t)
	pod := startPod(t, "pod-a", func(c *podConn) {
		secure := tls.Server(c.Conn, &tls.Config{Certificates: []tls.Certificate{pair}})
		inner := &podConn{Conn: secure, Reader: bufio.NewReader(secure), pod: c.pod}
		if inner.head() != "" && inner.say(switching+"welcome") {
			io.Copy(secure, inner.Reader)
		}
	})
	r := newRig(t)
	r.serveBy(model.Transport{TLS: true, ServerName: backendName}, nil, pod.addr)
	client := r.upgrade("hello")
	client.expect("welcomehello")
	client.send("more")
	client.expect("more")
}

func TestPROXYProtocol_toPod(t *testing.T) {
	for version := 1; version <= 2; version++ {
		told := make(chan *proxyproto.Header, 10)
		pod := startPod(t, "pod-a", func(c *podConn) {
			header, err := proxyproto.Read(c.Reader)
			if err != nil {
				t.Error(err)
				return
			}
			told <- header
			for c.request() != nil && c.answer("hello") {
			}
		})
		r := newRig(t)
		r.serveBy(model.Transport{ProxyProtocol: version}, nil, pod.addr)
		for range 2 {
			client := r.dial()
			for range 2 {
				client.get("/").expectOK(t, "hello")
				header := <-told
				if header.SourceAddr.String() != client.LocalAddr().String() || header.DestinationAddr.String() != r.addr ||
					int(header.Version) != version {
					t.Errorf("version %d: from %s to %s", header.Version, header.SourceAddr, header.DestinationAddr)
				}
			}
		}
	}
}
