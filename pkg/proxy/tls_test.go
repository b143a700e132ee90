package proxy

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// tlsRig serves cart over TLS too.
func tlsRig(t *testing.T, change ...func(*Options)) (r *rig, addr string) {
	t.Helper()
	r = newRig(t, change...)
	return r, r.listen(r.server.ServeTLS)
}

// dialTLS shakes hands and returns the connection with the names that the server's certificate is for.
func dialTLS(tb testing.TB, addr, serverName string, change ...func(*tls.Config)) (*caller, []string) {
	tb.Helper()
	config := &tls.Config{ServerName: serverName, InsecureSkipVerify: true}
	for _, c := range change {
		c(config)
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	conn := tls.Client(raw, config)
	caller := callOver(tb, conn)
	if err := conn.Handshake(); err != nil {
		tb.Fatal(err)
	}
	return caller, conn.ConnectionState().PeerCertificates[0].DNSNames
}

func tls12(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }

func TestTLS_allFeatures(t *testing.T) {
	for name, change := range map[string]func(*tls.Config){"TLS 1.2": tls12, "TLS 1.3": func(*tls.Config) {}} {
		t.Run(name, func(t *testing.T) {
			r, addr := tlsRig(t)
			p := startEcho(t, "pod-a")
			r.serve(cookieAffinity(), p)
			client, _ := dialTLS(t, addr, "shop.example", change)
			first := client.get("/")
			if set := first.header.Get("Set-Cookie"); !strings.Contains(set, "; Secure") {
				t.Errorf("Set-Cookie is %q", set)
			}
			head := p.requests()[0]
			expectFields(t, head, "X-Forwarded-Proto: https", "X-Forwarded-Port: "+addr[strings.LastIndexByte(addr, ':')+1:])
			for range 3 {
				client.post("/", "body", first.cookie(t)).expectOK(t, "body")
				client.post("/", mebibyte, first.cookie(t)).expectOK(t, mebibyte)
			}
			client.send("GET / HTTP/1.1\r\n\r\n")
			client.read("GET").expectStatus(t, 400)
			client.expectClosed()
		})
	}
}

func TestWebSocket_tls(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startSocket(t, "welcome"))
	client, _ := dialTLS(t, addr, "shop.example")
	client.send(handshake + "hello")
	client.head()
	client.expect("welcomehello")
	go client.Conn.Write([]byte(mebibyte))
	client.expect(mebibyte)
	client.Conn.(*tls.Conn).CloseWrite()
	client.expectClosed()
	eventually(t, "the stream to be over", r.server.conns.empty)
}

// A TLS record that comes byte by byte is waited for without a buffer in between each.
func TestTLSRecord_inPieces(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(pieces{raw}, &tls.Config{InsecureSkipVerify: true})
	client := callOver(t, conn)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		client.post("/", "body").expectOK(t, "body")
	}
}

// pieces writes byte by byte.
type pieces struct{ net.Conn }

func (p pieces) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := p.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func TestTLS_handshakeTimeout(t *testing.T) {
	r, addr := tlsRig(t, only(head))
	hello := []byte{0x16, 3, 1, 0, 200}
	for _, start := range [][]byte{nil, hello} {
		client := callTo(t, addr)
		client.Conn.Write(start)
		client.expectClosed()
	}
	eventually(t, "the connections to be closed", r.server.conns.empty)
}

func TestTLS_cleartextRefused(t *testing.T) {
	r, addr := tlsRig(t)
	client := callTo(t, addr)
	client.send(request("GET", "/", ""))
	client.rest()
	eventually(t, "the connection to be closed", r.server.conns.empty)
}

// A load balancer that only sees whether the port is open is no failure.
func TestTLS_failedHandshakesCounted(t *testing.T) {
	r, addr := tlsRig(t)
	probe, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	probe.Close()
	old := func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }
	for range 2 {
		if handshakes(t, addr, "shop.example", old) {
			t.Fatal("TLS 1.1 is spoken")
		}
	}
	eventually(t, "the connections to be closed", r.server.conns.empty)
	r.expectMetric(`limpet_connections_refused_total{reason="tls_handshake"}`, 2)
}

func TestTLS_oldVersionsAndWeakSuites(t *testing.T) {
	_, addr := tlsRig(t)
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.1": func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		"CBC":     func(c *tls.Config) { tls12(c); c.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA} },
		"RSA key": func(c *tls.Config) { tls12(c); c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256} },
	} {
		config := &tls.Config{InsecureSkipVerify: true}
		change(config)
		conn, err := tls.Dial("tcp", addr, config)
		if err == nil {
			conn.Close()
			t.Errorf("%s is spoken", name)
		}
	}
}

// An idle client is disconnected regardless of the last bytes it sent.
func TestIdleTimeout_tls(t *testing.T) {
	r, addr := tlsRig(t, quick(func(o *exchange.Timeouts) { o.Idle = soon }))
	r.serve(nil, startEcho(t, "pod-a"))
	fresh, _ := dialTLS(t, addr, "shop.example")
	used, _ := dialTLS(t, addr, "shop.example")
	used.get("/").expectOK(t, "")
	fresh.expectClosed()
	used.expectClosed()
}

// The deadline that ends the wait for a head must not break TLS for the response.
func TestTimeouts_tls(t *testing.T) {
	r, addr := tlsRig(t, only(head), func(o *Options) { o.Timeouts.Body = soon })
	r.serve(nil, startSilent(t))
	for _, text := range []string{"GET / HTTP/1.1\r\n", announced + "some"} {
		for _, change := range []func(*tls.Config){tls12, func(*tls.Config) {}} {
			client, _ := dialTLS(t, addr, "shop.example", change)
			client.send(text)
			client.read("POST").expectStatus(t, 408)
			client.expectClosed()
		}
	}
}

func TestTruncated_tlsWithoutCloseNotify(t *testing.T) {
	r, addr := tlsRig(t)
	say := make(chan struct{})
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n")
		<-say
	}))
	client, _ := dialTLS(t, addr, "shop.example")
	client.send("GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
	client.head()
	client.expect("body")
	close(say)
	var rest bytes.Buffer
	if _, err := rest.ReadFrom(client.r); err == nil {
		t.Errorf("half a response looks complete, with %q", rest.String())
	}
}
