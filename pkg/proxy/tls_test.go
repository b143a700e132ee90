package proxy

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificate makes one for these names, which the model lists under others if given.
func certificate(t *testing.T, listed []string, names ...string) model.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return certificateOf(t, key, listed, names...)
}

func certificateOf(t *testing.T, key crypto.Signer, listed []string, names ...string) model.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if listed == nil {
		listed = names
	}
	return model.Certificate{ServerNames: listed, Algorithm: leaf.PublicKeyAlgorithm.String(),
		Pair: &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

// tlsRig serves cart over TLS too.
func tlsRig(t *testing.T, change ...func(*Options)) (r *rig, addr string) {
	t.Helper()
	r = newRig(t, change...)
	return r, r.listen(r.server.ServeTLS)
}

// dialTLS shakes hands and gives the connection with the names that the server's certificate is for.
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

func TestTheCertificateIsChosenByServerName(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	if _, names := dialTLS(t, addr, "shop.example"); !slices.Equal(names, []string{"limpet.invalid"}) {
		t.Errorf("without certificates %q is presented", names)
	}
	shop := certificate(t, nil, "shop.example")
	wild := certificate(t, nil, "*.shop.example")
	other := certificate(t, []string{""}, "default.example")
	r.certs.Replace([]model.Certificate{shop, wild, other})
	for name, want := range map[string]string{
		"shop.example": "shop.example", "SHOP.example": "shop.example", "a.shop.example": "*.shop.example",
		"a.b.shop.example": "default.example", "other.example": "default.example", "": "default.example",
	} {
		if _, names := dialTLS(t, addr, name); !slices.Equal(names, []string{want}) {
			t.Errorf("to %q %q is presented, want %q", name, names, want)
		}
	}
}

// The client's certificate types are what it says that it can verify.
func TestAHostMayHaveAnRSAAndAnECDSACertificate(t *testing.T) {
	r, addr := tlsRig(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	listed := []string{"shop.example"}
	r.certs.Replace([]model.Certificate{certificateOf(t, key, listed, "rsa"), certificate(t, listed, "ecdsa")})
	onlyRSA := func(c *tls.Config) {
		tls12(c)
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	for want, change := range map[string][]func(*tls.Config){"ecdsa": {}, "rsa": {onlyRSA}} {
		if _, names := dialTLS(t, addr, "shop.example", change...); !slices.Equal(names, []string{want}) {
			t.Errorf("%q is presented, want %s", names, want)
		}
	}
}

// A renewed certificate is presented from the next handshake on, and open connections go on.
func TestACertificateIsReplacedUnderOpenConnections(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	r.certs.Replace([]model.Certificate{certificate(t, []string{"shop.example"}, "old.example")})
	open, _ := dialTLS(t, addr, "shop.example")
	open.get("/").expectOK(t, "")
	r.certs.Replace([]model.Certificate{certificate(t, []string{"shop.example"}, "new.example")})
	open.get("/").expectOK(t, "")
	if _, names := dialTLS(t, addr, "shop.example"); !slices.Equal(names, []string{"new.example"}) {
		t.Errorf("%q is presented, want the new one", names)
	}
	r.certs.Replace(nil)
	open.get("/").expectOK(t, "")
}

func TestEverythingWorksOverTLS(t *testing.T) {
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

func TestWebSocketsWorkOverTLS(t *testing.T) {
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
func TestARecordMayComeInPieces(t *testing.T) {
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

func TestAHandshakeThatDoesNotEndIsGivenUp(t *testing.T) {
	r, addr := tlsRig(t, only(head))
	hello := []byte{0x16, 3, 1, 0, 200}
	for _, start := range [][]byte{nil, hello} {
		client := callTo(t, addr)
		client.Conn.Write(start)
		client.expectClosed()
	}
	eventually(t, "the connections to be let go", r.server.conns.empty)
}

func TestClearTextOnTheTLSPortIsTurnedAway(t *testing.T) {
	r, addr := tlsRig(t)
	client := callTo(t, addr)
	client.send(request("GET", "/", ""))
	client.rest()
	eventually(t, "the connection to be let go", r.server.conns.empty)
}

// A load balancer that only sees whether the port is open is no failure.
func TestHandshakesThatFailAreCounted(t *testing.T) {
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
	eventually(t, "the connections to be let go", r.server.conns.empty)
	r.expectMetric(`limpet_connections_refused_total{reason="tls_handshake"}`, 2)
}

func TestOldVersionsAndWeakSuitesAreNotSpoken(t *testing.T) {
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

// An idle client is let go whatever its last words were.
func TestAnIdleTLSClientIsClosed(t *testing.T) {
	r, addr := tlsRig(t, quick(func(o *Timeouts) { o.Idle = soon }))
	r.serve(nil, startEcho(t, "pod-a"))
	fresh, _ := dialTLS(t, addr, "shop.example")
	used, _ := dialTLS(t, addr, "shop.example")
	used.get("/").expectOK(t, "")
	fresh.expectClosed()
	used.expectClosed()
}

// The deadline that ends the wait for a head must not break TLS for the answer.
func TestTimeoutsAreAnsweredOverTLS(t *testing.T) {
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

func TestHalfAnAnswerOverTLSEndsWithoutAGoodbye(t *testing.T) {
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
		t.Errorf("half an answer passes for a whole one, with %q", rest.String())
	}
}
