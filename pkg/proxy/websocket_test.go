package proxy

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 wants it
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// connect are the fields by which a client requests a WebSocket over HTTP/2.
var connect = []string{
	":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":authority", "shop.example", ":path", "/chat?room=1",
	"sec-websocket-version", "13", "sec-websocket-protocol", "chat", "origin", "https://shop.example",
}

// startWebSocket runs a pod that accepts handshakes, with what is glued to its response, and echoes what comes then, up to
// the end of it, which it notes.
func startWebSocket(t *testing.T, name, glued string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		keys := fieldLines(c.head(), "Sec-WebSocket-Key")
		if len(keys) != 1 {
			return
		}
		_, key, _ := strings.Cut(keys[0], ": ")
		accept := acceptFor(key)
		c.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: " + accept + "\r\n\r\n" + glued)
		io.Copy(c.Conn, c.Reader)
		c.pod.note("end")
		c.say("bye")
	})
}

// data reads this much of a stream.
func (p *peer) data(id uint32, n int) string {
	p.t.Helper()
	var got strings.Builder
	for got.Len() < n {
		f := p.await("data", func(f http2.Frame) bool {
			_, ok := f.(*http2.DataFrame)
			return ok && f.Header().StreamID == id
		}).(*http2.DataFrame)
		got.Write(f.Data())
		if p.over = f.StreamEnded(); p.over {
			break
		}
	}
	return got.String()
}

func TestWebSocket_http2(t *testing.T) {
	r, secure := tlsRig(t)
	p := startWebSocket(t, "pod-a", "welcome")
	r.serve(cookieAffinity(), p)
	conn, err := tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*peer{"cleartext": dialHTTP2(t, r.addr), "over TLS": http2Over(t, conn)} {
		t.Run(name, func(t *testing.T) {
			told := client.await("settings", func(f http2.Frame) bool { return f.Header().Type == http2.FrameSettings })
			if v, _ := told.(*http2.SettingsFrame).Value(http2.SettingEnableConnectProtocol); v != 1 {
				t.Fatal("the settings do not enable WebSockets")
			}
			client.must(client.open(1, false, connect...), client.WriteData(1, false, []byte("hello")))
			head := client.await("a response", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders }).(*http2.MetaHeadersFrame)
			fields := map[string]string{}
			for _, f := range head.Fields {
				fields[f.Name] = f.Value
			}
			if fields[":status"] != "200" || fields["sec-websocket-protocol"] != "chat" || !strings.HasPrefix(fields["set-cookie"], "limpet-cart=") {
				t.Errorf("the response is %q", fields)
			}
			for _, name := range []string{"connection", "upgrade", "sec-websocket-accept", "content-length"} {
				if v, ok := fields[name]; ok {
					t.Errorf("the response has %s: %s", name, v)
				}
			}
			if got := client.data(1, len("welcomehello")); got != "welcomehello" {
				t.Errorf("first came %q", got)
			}
			r.expectMetric(`limpet_streams{kind="websocket"}`, 1)
			client.must(client.WriteData(1, true, []byte("more")))
			if got := client.data(1, len("morebye")); got != "morebye" { // after the client's own end
				t.Errorf("then came %q", got)
			}
			if !client.over {
				client.await("the end", func(f http2.Frame) bool { return f.Header().Flags.Has(http2.FlagDataEndStream) })
			}
			r.expectMetric(`limpet_streams{kind="websocket"}`, 0)
		})
	}
	head := p.requests()[0]
	for name, want := range map[string]string{
		"Connection": "Connection: Upgrade", "Upgrade": "Upgrade: websocket", "Origin": "Origin: https://shop.example",
		"Sec-WebSocket-Version": "Sec-WebSocket-Version: 13",
	} {
		if got := fieldLines(head, name); len(got) != 1 || !strings.EqualFold(got[0], want) {
			t.Errorf("the pod is sent %q, want %q", got, want)
		}
	}
	if !strings.HasPrefix(head, "GET /chat?room=1 HTTP/1.1\r\n") {
		t.Errorf("the pod is sent %q", head)
	}
}

func TestWebSocket_http2Sticky(t *testing.T) {
	r := newRig(t)
	pods := []*pod{startWebSocket(t, "pod-a", "a"), startWebSocket(t, "pod-b", "b")}
	r.serve(affinityBy(headerMethod("X-Session-Id")), pods...)
	client := dialHTTP2(t, r.addr)
	seen := map[string]string{}
	for i := range uint32(40) {
		session := string(rune('a' + i%10))
		client.must(client.open(2*i+1, false, append(connect, "x-session-id", session)...))
		if got := client.data(2*i+1, 1); seen[session] != "" && got != seen[session] {
			t.Errorf("session %s moved from %s to %s", session, seen[session], got)
		} else {
			seen[session] = got
		}
		client.must(client.WriteData(2*i+1, true, nil))
		client.await("the end", func(f http2.Frame) bool { return f.Header().Flags.Has(http2.FlagDataEndStream) })
	}
}

func TestWebSocket_http2LargeMessages(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	client := dialHTTP2(t, r.addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})
	client.must(client.WriteWindowUpdate(0, 1<<30))
	client.must(client.open(1, false, connect...))
	sent, window := 0, streamWindow
	for got := 0; got < len(mebibyte); {
		for sent < len(mebibyte) && window >= 8<<10 {
			client.must(client.WriteData(1, false, []byte(mebibyte[sent:sent+8<<10])))
			sent, window = sent+8<<10, window-8<<10
		}
		f, err := client.ReadFrame()
		client.must(err)
		switch f := f.(type) {
		case *http2.DataFrame:
			if string(f.Data()) != mebibyte[got:got+len(f.Data())] {
				t.Fatalf("at %d something else came back", got)
			}
			got += len(f.Data())
		case *http2.WindowUpdateFrame:
			if f.StreamID == 1 {
				window += int(f.Increment)
			}
		}
	}
}

func TestWebSocket_http2PodRefuses(t *testing.T) {
	const bad = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %\r\nSec-WebSocket-Accept: bm8=\r\n\r\n"
	for name, c := range map[string]struct{ answer, want string }{
		"403":                     {"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403"},
		"redirected":              {"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "302"},
		"426":                     {"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n", "426"},
		"no idea of WebSockets":   {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "502"},
		"another protocol":        {strings.Replace(bad, "%", "h2c", 1), "502"},
		"another key":             {strings.Replace(bad, "%", "websocket", 1), "502"},
		"no response to the key":  {"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "502"},
		"the end of a connection": {"", "502"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serve(cookieAffinity(), startAnswering(t, "pod-a", c.answer))
			client := dialHTTP2(t, r.addr)
			client.must(client.open(1, false, connect...))
			if got := client.outcome(1); got != c.want {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
			r.expectMetric(`limpet_streams{kind="websocket"}`, 0)
		})
	}
}

func TestExtendedConnect_onlyWebSocket(t *testing.T) {
	r := newRig(t)
	p := startWebSocket(t, "pod-a", "")
	r.serve(nil, p)
	for name, c := range map[string]struct {
		change [2]string
		want   string
	}{
		"another protocol":       {[2]string{":protocol", "connect-udp"}, "501"},
		"two protocols":          {[2]string{":protocol", "websocket, connect-udp"}, "501"},
		"a protocol and GET":     {[2]string{":method", "GET"}, "400"},
		"no path":                {[2]string{":path", ""}, "PROTOCOL_ERROR"},
		"a path that splits":     {[2]string{":path", "/ HTTP/1.1"}, "400"},
		"an authority that does": {[2]string{":authority", "a b"}, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			fields := append([]string{}, connect...)
			for i := 0; i < len(fields); i += 2 {
				if fields[i] == c.change[0] {
					fields[i+1] = c.change[1]
				}
			}
			client := dialHTTP2(t, r.addr)
			client.must(client.open(1, false, fields...))
			if got := client.outcome(1); got != c.want {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
		})
	}
	if got := p.requests(); len(got) > 0 {
		t.Errorf("the pod was sent %q", got)
	}
}

// Each way of ending, on either side, ends the other one.
func TestWebSocket_http2Ends(t *testing.T) {
	for name, end := range map[string]func(*peer, *pod){
		"stream reset":      func(c *peer, _ *pod) { c.WriteRSTStream(1, http2.ErrCodeCancel) },
		"connection closed": func(c *peer, _ *pod) { c.conn.Close() },
		"connection reset":  func(c *peer, _ *pod) { resetTCP(c.conn) },
		"pod closed":        func(_ *peer, p *pod) { p.closeAll() },
		"pod's end sent": func(_ *peer, p *pod) {
			locked(p, func() int {
				for conn := range p.open {
					conn.(*net.TCPConn).CloseWrite()
				}
				return 0
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := startWebSocket(t, "pod-a", "x")
			r.serve(nil, p)
			client := dialHTTP2(t, r.addr)
			client.must(client.open(1, false, connect...))
			client.data(1, 1)
			end(client, p)
			eventually(t, "the pod to be released", func() bool { return p.connections() == 0 })
			r.expectMetric(`limpet_streams{kind="websocket"}`, 0)
			if strings.HasPrefix(name, "pod") {
				client.await("the end of the stream", func(f http2.Frame) bool {
					return f.Header().Type == http2.FrameRSTStream || f.Header().Flags.Has(http2.FlagDataEndStream)
				})
				client.must(client.open(3, true, plain...)) // the connection stays open
			}
		})
	}
}

// acceptFor returns how a pod shows that it has understood the key of a handshake (RFC 6455 section 4.2.2).
func acceptFor(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 wants it
	return base64.StdEncoding.EncodeToString(sum[:])
}
