package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

// passedHost returns the settings of a host that is passed through to a pool.
func passedHost(name string, to model.PoolID, a *model.Affinity) model.Host {
	return model.Host{Name: name, Passthrough: &model.Backend{Pool: to, Weight: 1, Affinity: a}}
}

// publishPassed makes these hosts passed through, and shop.example and the routes of all hosts lead to cart.
func (r *rig) publishPassed(hosts ...model.Host) {
	routes := []model.Route{}
	for _, name := range append(namesOf(hosts), "shop.example") {
		route := routeTo(cart, nil)
		route.Host = name
		routes = append(routes, route)
	}
	r.publishModel(&model.Model{Routes: routes, Hosts: hosts})
}

func namesOf(hosts []model.Host) (names []string) {
	for i := range hosts {
		names = append(names, hosts[i].Name)
	}
	return names
}

// startTLSPod runs a pod that terminates TLS with HTTP/2 and HTTP/1.1, and responds with its name.
func startTLSPod(t *testing.T, name string) model.Endpoint {
	t.Helper()
	pair, _ := podCertificate(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, name, " ", r.Host, " ", r.Proto)
	}))
	server.EnableHTTP2, server.TLS = true, &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return model.Endpoint{ID: name, Pod: name, Address: addressOf(server), State: model.EndpointReady}
}

// fetch sends a request over TLS with this server name on a connection of its own.
func fetch(t *testing.T, addr, host string, http2 bool) (body string, err error) {
	t.Helper()
	transport := &http.Transport{
		ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("tcp", addr) },
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + host + "/")
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

func TestPassthrough_besideTerminatedHosts(t *testing.T) {
	r, addr := tlsRig(t)
	r.replace(cart, startEcho(t, "pod-cart").endpoint(model.EndpointReady))
	second := model.PoolID{Namespace: "shop", Service: "second", Port: 443}
	r.replace(blog, startTLSPod(t, "first"))
	r.replace(second, startTLSPod(t, "second"))
	r.publishPassed(passedHost("*.second.example", second, nil), passedHost("first.example", blog, nil))
	for _, c := range []struct {
		host  string
		http2 bool
		want  string
	}{
		{"first.example", true, "first first.example HTTP/2.0"},
		{"first.example", false, "first first.example HTTP/1.1"},
		{"FIRST.example", false, "first FIRST.example HTTP/1.1"},
		{"a.second.example", true, "second a.second.example HTTP/2.0"},
		{"shop.example", true, ""}, // an echo
		{"shop.example", false, ""},
	} {
		if got, err := fetch(t, addr, c.host, c.http2); err != nil || got != c.want {
			t.Errorf("%s: %q, %v; want %q", c.host, got, err, c.want)
		}
	}
	client := r.dial() // cleartext requests follow the routes
	if got := client.askFor("first.example"); got != 200 {
		t.Errorf("cleartext: status %d", got)
	}
	r.expectMetric(`limpet_streams{kind="passthrough"}`, 0)
}

// Over a connection that Limpet has terminated for another host, the host is not served. Nor is it over QUIC.
func TestPassthrough_isNotTerminated(t *testing.T) {
	r, udp := http3Rig(t)
	tcp := r.listen(r.server.ServeTLS)
	r.replace(cart, startEcho(t, "pod-cart").endpoint(model.EndpointReady))
	r.replace(blog, startTLSPod(t, "first"))
	r.publishPassed(passedHost("first.example", blog, nil))
	r.certs.Replace([]model.Certificate{certificate(t, nil, "shop.example", "first.example")})
	client, _ := dialTLS(t, tcp, "shop.example")
	if got := client.askFor("first.example"); got != http.StatusMisdirectedRequest {
		t.Errorf("status %d, want 421", got)
	}
	for name, want := range map[string]bool{"shop.example": true, "first.example": false} {
		resp, err := http3Client(t, func(c *tls.Config) { c.ServerName = name }).Get("https://" + udp + "/")
		if err == nil {
			resp.Body.Close()
		}
		if (err == nil) != want {
			t.Errorf("HTTP/3 for %s: %v", name, err)
		}
	}
}

// helloFor returns the ClientHello that a client sends.
func helloFor(t *testing.T, name string) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() { _ = tls.Client(near, &tls.Config{ServerName: name, InsecureSkipVerify: true}).Handshake() }()
	defer near.Close()
	hello, err := readClientHello(far)
	if err != nil {
		t.Fatal(err)
	}
	return hello
}

// inRecords splits the message of a ClientHello into records of n bytes.
func inRecords(hello []byte, n int) (out []byte) {
	for message := hello[recordHeader:]; len(message) > 0; message = message[min(n, len(message)):] {
		part := message[:min(n, len(message))]
		out = append(append(out, hello[:3]...), byte(len(part)>>8), byte(len(part)))
		out = append(out, part...)
	}
	return out
}

// startRawPod runs a pod that sends its name, then what it receives until the client ends its side, and then "end".
func startRawPod(t *testing.T, name string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		fmt.Fprintln(c.Conn, name)
		_, _ = io.Copy(c.Conn, c.Reader)
		fmt.Fprint(c.Conn, "end")
	})
}

// passedRig passes first.example through to pods.
func passedRig(t *testing.T, a *model.Affinity, pods []*pod, change ...func(*Options)) (r *rig, addr string) {
	t.Helper()
	r, addr = tlsRig(t, change...)
	r.replace(cart, endpointsOf(pods...)...)
	r.publishPassed(passedHost("first.example", cart, a))
	return r, addr
}

// passed is a connection that is passed through.
type passed struct {
	*net.TCPConn
	pod   string
	lines *bufio.Reader
}

func passTo(t *testing.T, addr string, start ...[]byte) *passed {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(testTimeout))
	if _, err := conn.Write(bytes.Join(start, nil)); err != nil {
		t.Fatal(err)
	}
	p := &passed{TCPConn: conn.(*net.TCPConn), lines: bufio.NewReader(conn)}
	name, _ := p.lines.ReadString('\n')
	p.pod = strings.TrimSpace(name)
	return p
}

// Every byte reaches the pod once and in order, however the client splits the ClientHello, and each side ends by itself.
func TestPassthrough_bytesAndHalfClose(t *testing.T) {
	_, addr := passedRig(t, nil, []*pod{startRawPod(t, "pod-a")})
	hello := helloFor(t, "first.example")
	for name, sent := range map[string][]byte{
		"one record": hello, "records of one byte": inRecords(hello, 1), "records of 100 bytes": inRecords(hello, 100),
	} {
		if len(sent) > maxHello {
			t.Fatalf("%s: %d bytes", name, len(sent))
		}
		client := passTo(t, addr, sent, []byte("and more"))
		if _, err := client.Write([]byte(" later")); err != nil {
			t.Fatal(err)
		}
		_ = client.CloseWrite()
		got, err := io.ReadAll(client.lines)
		if want := string(sent) + "and more laterend"; err != nil || string(got) != want {
			t.Errorf("%s: got %d bytes, %v; want %d bytes", name, len(got), err, len(want))
		}
	}
}

func TestPassthrough_invalidHello(t *testing.T) {
	p := startRawPod(t, "pod-a")
	r, addr := passedRig(t, nil, []*pod{p}, quick(func(o *exchange.Timeouts) { o.Head = 200 * time.Millisecond }))
	hello := helloFor(t, "first.example")
	long := inRecords(append([]byte{recordHandshake, 3, 1, 0, 0, helloMessage, 0, maxHello >> 8, 0}, make([]byte, 2*maxHello)...), 1000)
	for name, sent := range map[string][]byte{
		"nothing": nil, "half of it": hello[:len(hello)/2], "no TLS": []byte("GET / HTTP/1.1\r\nHost: first.example\r\n\r\n"),
		"an empty record": {22, 3, 1, 0, 0}, "another message": {22, 3, 1, 0, 4, 2, 0, 0, 0}, "too long": long,
		"a long message": {22, 3, 1, 0, 4, 1, 255, 255, 255},
	} {
		if client := passTo(t, addr, sent); strings.HasPrefix(client.pod, "pod") {
			t.Errorf("%s reached %q", name, client.pod)
		}
	}
	if n := p.accepted(); n != 0 {
		t.Errorf("%d connections reached the pod", n)
	}
	eventually(t, "the connections to be closed", r.server.conns.empty)
}

// The client address of a PROXY protocol header decides the pod.
func TestPassthrough_affinityByAddress(t *testing.T) {
	pods := []*pod{startRawPod(t, "pod-a"), startRawPod(t, "pod-b"), startRawPod(t, "pod-c")}
	_, addr := passedRig(t, affinityBy(addressMethod()), pods, behind)
	hello, used := helloFor(t, "first.example"), map[string]bool{}
	for i := range 20 {
		header := fmt.Sprintf("PROXY TCP4 192.0.2.%d 198.51.100.7 4711 443\r\n", i)
		first := passTo(t, addr, []byte(header), hello)
		if again := passTo(t, addr, []byte(header), hello); again.pod != first.pod || first.pod == "" {
			t.Errorf("client %d was on %q, and then on %q", i, first.pod, again.pod)
		}
		used[first.pod] = true
	}
	if len(used) != 3 {
		t.Errorf("the clients use %v", used)
	}
}

// An open connection survives the loss of its endpoint and of the setting. New ones avoid pods that are gone, drain or refuse.
func TestPassthrough_changesOfPods(t *testing.T) {
	a, b := startRawPod(t, "pod-a"), startRawPod(t, "pod-b")
	r, addr := passedRig(t, nil, []*pod{a})
	hello := helloFor(t, "first.example")
	open := passTo(t, addr, hello)
	r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady), deadPod(t, "dead").endpoint(model.EndpointReady))
	for range 10 {
		if next := passTo(t, addr, hello); next.pod != "pod-b" {
			t.Errorf("a new connection is on %q", next.pod)
		}
	}
	r.replace(cart)
	if next := passTo(t, addr, hello); next.pod != "" {
		t.Errorf("without pods, a connection is on %q", next.pod)
	}
	r.expectMetric(`limpet_upstream_failures_total{pool="shop/cart:80",reason="no_endpoints"}`, 1)
	r.publishPassed()
	r.expectMetric(`limpet_streams{kind="passthrough"}`, 11)
	_, _ = open.Write([]byte("still here"))
	_ = open.CloseWrite()
	if got, err := io.ReadAll(open.lines); err != nil || !strings.HasSuffix(string(got), "still hereend") {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}
