package proxy

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// literal encodes fields without the dynamic table, so that the block is the same each time.
func literal(fields ...string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return block.Bytes()
}

// split sends a block in pieces of these lengths, and the rest as the last one.
func (p *peer) split(id uint32, last bool, block []byte, lengths ...int) error {
	var flags http2.Flags
	if last {
		flags = http2.FlagHeadersEndStream
	}
	kind := http2.FrameHeaders
	for _, n := range lengths {
		if err := p.WriteRawFrame(kind, flags, id, block[:n]); err != nil {
			return err
		}
		kind, flags, block = http2.FrameContinuation, 0, block[n:]
	}
	return p.WriteRawFrame(kind, flags|http2.FlagHeadersEndHeaders, id, block)
}

// RFC 9113 section 6.10: the positions at which a field block is split have no meaning.
func TestHTTP2Blocks_splitAnywhere(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	id := uint32(1)
	expect := func(what string) {
		t.Helper()
		if got := p.outcome(id); got != "200" {
			t.Fatalf("%s: it ends with %s", what, got)
		}
		id += 2
	}
	head := literal(append(plain[:len(plain):len(plain)], "accept", "text/html", "mark", "in a literal")...)
	for at := range len(head) + 1 {
		p.must(p.split(id, true, head, at))
		expect(fmt.Sprintf("a head cut at %d", at))
	}
	bytewise := make([]int, len(head))
	for i := range bytewise {
		bytewise[i] = 1
	}
	p.must(p.split(id, true, head, bytewise...))
	expect("a head in bytes")
	p.must(p.split(id, true, head, 0, 0, 0, len(head), 0, 0))
	expect("a head with empty pieces")
	trailers := literal("check", "sum")
	for at := range len(trailers) + 1 {
		p.must(p.open(id, false, plainPost...), p.WriteData(id, false, []byte("body")), p.split(id, true, trailers, at))
		expect(fmt.Sprintf("trailers cut at %d", at))
	}
}

// RFC 9113 sections 4.3 and 6.10: nothing comes between the pieces of a block.
func TestHTTP2Blocks_interleavedFrame(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	var cases []frameCase
	for kind, payload := range map[http2.FrameType][]byte{
		http2.FrameData: octets(1), http2.FrameHeaders: literal(plain...), http2.FramePriority: octets(5),
		http2.FrameRSTStream: octets(4), http2.FrameSettings: nil, http2.FramePing: octets(8), http2.FrameGoAway: octets(8),
		http2.FrameWindowUpdate: {0, 0, 0, 1}, http2.FrameContinuation: octets(1), 0xfa: nil,
	} {
		for _, id := range []uint32{0, 1, 3, 5} {
			if kind == http2.FrameContinuation && id == 3 {
				continue // that is the one that must come
			}
			cases = append(cases, frameCase{
				name: fmt.Sprintf("%s on %d", kind, id), stream: 3, want: protocolError,
				send: func(p *peer) error {
					p.must(p.open(1, false, plainPost...), p.WriteRawFrame(http2.FrameHeaders, 0, 3, literal(plain...)))
					p.must(p.WriteRawFrame(kind, 0, id, payload))
					return p.WriteRawFrame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 3, nil)
				},
			})
		}
	}
	cases = append(cases, frameCase{name: "a piece after the last", want: protocolError, send: func(p *peer) error {
		p.must(p.open(1, false, plainPost...))
		return p.WriteRawFrame(http2.FrameContinuation, http2.FlagContinuationEndHeaders, 1, literal("x", "y"))
	}})
	runFrames(t, r, cases)
}

// RFC 9113 sections 6.1 and 6.2.
func TestHTTP2Frames_padding(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	head := func(name string, want string, before []byte, pad int) frameCase {
		return frameCase{name: name, want: want, send: func(p *peer) error {
			payload := append(append(before, literal(plain...)...), octets(pad)...)
			return p.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersPadded|http2.FlagHeadersEndHeaders|
				http2.FlagHeadersEndStream, 1, payload)
		}}
	}
	length := len(literal(plain...))
	runFrames(t, r, []frameCase{
		head("none in a head", "200", []byte{0}, 0),
		head("some in a head", "200", []byte{9}, 9),
		head("most in a head", "200", []byte{255}, 255),
		head("as long as the head", "GOAWAY COMPRESSION_ERROR or PROTOCOL_ERROR or 400", []byte{byte(length)}, 0),
		head("longer than the head", protocolError, []byte{byte(length + 1)}, 0),
		head("longest", protocolError, []byte{255}, 0),
		raw("none in data", true, http2.FrameData, 0x9, 1, []byte{0, 'x'}, "200"),
		raw("nothing but padding", true, http2.FrameData, 0x9, 1, append([]byte{255}, octets(255)...), "200"),
		raw("longer than the data", true, http2.FrameData, 0x9, 1, []byte{3, 'x', 0}, protocolError),
		raw("longest in data", true, http2.FrameData, 0x9, 1, []byte{255, 0}, protocolError),
		raw("not zero", true, http2.FrameData, 0x9, 1, []byte{3, 'x', 1, 2, 3}, "200 or "+protocolError),
	})
}

// RFC 7541: what cannot be read ends the connection, since nothing after it could be read either.
func TestHTTP2Blocks_invalidCompression(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	const broken = "GOAWAY COMPRESSION_ERROR"
	send := func(name, want string, block ...byte) frameCase {
		return raw(name, false, http2.FrameHeaders, 0x5, 1, block, want)
	}
	start := func(block ...byte) []byte { return append(block, literal(plain...)...) }
	end := func(block ...byte) []byte { return append(literal(plain...), block...) }
	overflow := bytes.Repeat([]byte{0xff}, 10)
	runFrames(t, r, []frameCase{
		send("index 0", broken, end(0x80)...),
		send("the first index that there is not", broken, end(0x80|62)...),
		send("an index far out", broken, end(0xff, 0xff, 0xff, 0x7f)...),
		send("an index that overflows", broken, end(append(overflow, 0x7f)...)...),
		send("an index that does not end", broken, end(overflow...)...),
		send("an index of zeros that does not end", broken, end(append([]byte{0xff}, bytes.Repeat([]byte{0x80}, 20)...)...)...),
		send("the name of an index that there is not", broken, end(0x7f, 0x10, 1, 'y')...),
		send("a name cut off", broken, end(0x00, 0x05, 'x')...),
		send("a value cut off", broken, end(0x00, 0x01, 'x', 0x05, 'y')...),
		send("a length cut off", broken, end(0x00, 0x7f)...),
		send("a length that overflows", broken, end(append([]byte{0x00, 0x7f}, overflow...)...)...),
		send("a name and no more", broken, end(0x00, 0x01, 'x')...),
		send("padding of Huffman that is zero", broken, end(0x00, 0x01, 'x', 0x81, 0x18)...),
		send("padding of Huffman over 7 bits", broken, end(0x00, 0x01, 'x', 0x82, 0x1f, 0xff)...),
		send("the end of Huffman", broken, end(0x00, 0x01, 'x', 0x84, 0xff, 0xff, 0xff, 0xff)...),
		send("a table within its limit", "200", start(0x3f, 0xe1, 0x1f)...), // 4096
		send("a table emptied and restored", "200", start(0x20, 0x3f, 0xe1, 0x1f)...),
		send("a table over its limit", broken, start(0x3f, 0xe2, 0x1f)...), // 4097
		send("a table far over its limit", broken, start(append([]byte{0x3f}, append(overflow, 0x01)...)...)...),
		send("a table changed at the end", broken, append(append([]byte{0x40, 1, 'x', 1, 'y'}, literal(plain...)...), 0x20)...),
		send("nothing", "PROTOCOL_ERROR or 400"),
		send("a table and nothing else", "PROTOCOL_ERROR or 400", 0x20),
		{name: "in trailers", want: broken, send: func(p *peer) error {
			p.must(p.open(1, false, plainPost...))
			return p.WriteRawFrame(http2.FrameHeaders, 0x5, 1, []byte{0x80})
		}},
		{name: "of a stream that is closed", want: broken, send: func(p *peer) error {
			p.must(p.open(1, false, plainPost...), p.WriteRSTStream(1, http2.ErrCodeCancel))
			return p.WriteRawFrame(http2.FrameHeaders, 0x5, 1, []byte{0x80})
		}},
	})
}

// The dynamic table belongs to the connection: it also gets the fields of streams that fail (RFC 9113 section 4.3).
func TestHTTP2_headerTableAfterFailures(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	for name, fail := range map[string]func(p *peer, mark string) error{
		"malformed": func(p *peer, mark string) error { return p.open(1, true, append(plain[:6:6], "mark", mark)...) },
		"list of fields over its limit": func(p *peer, mark string) error {
			fields := append(plain[:len(plain):len(plain)], "big", strings.Repeat("v", 3900))
			p.must(p.open(1, true, fields...))
			for range 30 {
				fields = append(fields, "big", fields[len(fields)-1])
			}
			return p.open(3, true, append(fields, "mark", mark)...)
		},
		"refused": func(p *peer, mark string) error {
			for i := range uint32(maxStreams) {
				p.must(p.open(2*i+1, true, ":path", "/slow", ":method", "GET", ":scheme", "http", ":authority", "shop.example"))
			}
			p.must(p.open(2*maxStreams+1, true, append(plain[:len(plain):len(plain)], "mark", mark)...))
			return p.WriteRSTStream(1, http2.ErrCodeCancel)
		},
		"trailers of a stream that was reset": func(p *peer, mark string) error {
			p.must(p.open(1, false, plainPost...), p.WriteWindowUpdate(1, 0))
			p.await("the reset", func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream })
			return p.open(1, true, "mark", mark)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := dialHTTP2(t, r.addr)
			p.must(fail(p, "of the stream that failed"))
			for id := uint32(nextStream); ; id += 2 { // one of those before may take its time to be gone
				p.must(p.open(id, true, append(plain[:len(plain):len(plain)], "mark", "of the stream that failed")...))
				head := p.await("a response", func(f http2.Frame) bool { return f.Header().StreamID == id })
				if f, ok := head.(*http2.MetaHeadersFrame); ok {
					expectField(t, f, "saw-mark", "of the stream that failed")
					return
				}
			}
		})
	}
}

func expectField(t *testing.T, f *http2.MetaHeadersFrame, name, want string) {
	t.Helper()
	for _, field := range f.RegularFields() {
		if field.Name == name && field.Value == want {
			return
		}
	}
	t.Errorf("%q has no %s: %s", f.Fields, name, want)
}
