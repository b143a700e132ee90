package proxy

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"

	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/model"
)

// decompressed returns the body of a response with its coding removed.
func decompressed(t *testing.T, got *response) string {
	t.Helper()
	var from io.Reader = strings.NewReader(got.body)
	switch got.header.Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(from)
		if err != nil {
			t.Fatal(err)
		}
		from = z
	case "br":
		from = brotli.NewReader(from)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var longText = strings.Repeat("All limpets return to their place. ", 4000)

// respondAsAsked responds with the fields in the query, and with a long or a short text.
func respondAsAsked(w http.ResponseWriter, q *http.Request) {
	status := http.StatusOK
	for name, values := range q.URL.Query() {
		if name == "Status" {
			status = map[string]int{"304": 304, "206": 206, "404": 404}[values[0]]
			continue
		}
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	if status != 304 {
		if q.URL.Path == "/short" {
			io.WriteString(w, "short")
		} else {
			io.WriteString(w, longText)
		}
	}
}

func TestCompression_overTheWire(t *testing.T) {
	f := &model.Filters{Compression: &model.Compression{Gzip: true, Brotli: true}}
	text := url.Values{"Content-Type": {"text/html; charset=utf-8"}}
	with := func(name, value string) url.Values {
		return url.Values{"Content-Type": text["Content-Type"], name: {value}}
	}
	for _, c := range []struct {
		name, path, accept string
		fields             url.Values
		want               string // the coding
	}{
		{"gzip", "/", "gzip", text, "gzip"},
		{"brotli first", "/", "gzip, br", text, "br"},
		{"weights", "/", "br;q=0.5, gzip;q=0.8", text, "gzip"},
		{"star", "/", "*", text, "br"},
		{"star but not br", "/", "*, br;q=0", text, "gzip"},
		{"refused", "/", "gzip;q=0, br;q=0.000", text, ""},
		{"malformed", "/", "gzip;q=2, br;level=1", text, ""},
		{"none", "/", "identity", text, ""},
		{"error page", "/", "gzip", with("Status", "404"), "gzip"},
		{"range", "/", "gzip", with("Status", "206"), ""},
		{"content range", "/", "gzip", with("Content-Range", "bytes 0-5/6"), ""},
		{"already", "/", "gzip", with("Content-Encoding", "zstd"), "zstd"},
		{"no-transform", "/", "gzip", with("Cache-Control", "public, No-Transform"), ""},
		{"digest", "/", "gzip", with("Repr-Digest", "sha-256=:x:"), ""},
		{"image", "/", "gzip", url.Values{"Content-Type": {"image/png"}}, ""},
		{"events", "/", "gzip", url.Values{"Content-Type": {"text/event-stream"}}, ""},
		{"json", "/", "gzip", url.Values{"Content-Type": {"application/problem+JSON"}}, "gzip"},
		{"no type", "/", "gzip", url.Values{"Content-Type": {""}}, ""},
		{"short", "/short", "gzip", with("Content-Length", "5"), ""},
	} {
		for protocol, transport := range map[string]model.Transport{"HTTP/1.1": {}, "HTTP/2": overHTTP2} {
			t.Run(c.name+" "+protocol, func(t *testing.T) {
				r := newRig(t)
				r.serveFiltered(f, transport, nil, respondAsAsked)
				client := r.dial()
				for range 2 { // the connections stay usable
					got := client.get(c.path+"?"+c.fields.Encode(), "Accept-Encoding: "+c.accept)
					if got.err != nil || got.header.Get("Content-Encoding") != c.want {
						t.Fatalf("coding %q (%v), want %q", got.header.Get("Content-Encoding"), got.err, c.want)
					}
					want := map[string]string{"/": longText, "/short": "short"}[c.path]
					if body := decompressed(t, got); body != want {
						t.Errorf("body %.60q of %d bytes", body, len(body))
					}
					if c.want == "gzip" && (got.header.Get("Vary") != "Accept-Encoding" || len(got.body) > len(longText)/10) {
						t.Errorf("%d bytes, Vary %q", len(got.body), got.header.Get("Vary"))
					}
				}
			})
		}
	}
}

func TestCompression_heads(t *testing.T) {
	r := newRig(t)
	f := &model.Filters{Compression: &model.Compression{Gzip: true}}
	r.serveFiltered(f, model.Transport{}, nil, respondAsAsked)
	client := r.dial()
	query := url.Values{"Content-Type": {"text/css"}, "Etag": {`"v1"`}, "Accept-Ranges": {"bytes"}, "Vary": {"Origin"}, "Content-Length": {"140000"}}
	got := client.get("/?"+query.Encode(), "Accept-Encoding: gzip")
	if h := got.header; h.Get("Etag") != `W/"v1"` || h.Get("Accept-Ranges") != "" || h.Get("Content-Length") != "" ||
		strings.Join(h.Values("Vary"), ", ") != "Origin, Accept-Encoding" {
		t.Errorf("fields %v", h)
	}
	client.send(request("HEAD", "/?"+query.Encode(), "", "Accept-Encoding: gzip"))
	got = client.read("HEAD")
	got.expectOK(t, "")
	if h := got.header; h.Get("Content-Encoding") != "gzip" || h.Get("Etag") != `W/"v1"` || h.Get("Content-Length") != "" ||
		len(h.Values("Vary")) != 2 { // the fields of GET (RFC 9110 section 9.3.2)
		t.Errorf("HEAD: fields %v", h)
	}
	query.Set("Status", "304")
	query.Del("Content-Length")
	got = client.get("/?"+query.Encode(), "Accept-Encoding: gzip")
	got.expectStatus(t, 304)
	if got.header.Get("Content-Encoding") != "" {
		t.Errorf("304: fields %v", got.header)
	}
	query.Del("Status")
	client.get("/?"+query.Encode(), "Accept-Encoding: gzip").expectStatus(t, 200)
}

func TestCompression_http10(t *testing.T) {
	r := newRig(t)
	r.serveFiltered(&model.Filters{Compression: &model.Compression{Gzip: true}}, model.Transport{}, nil, respondAsAsked)
	client := r.dial()
	client.send("GET /?Content-Type=text/css HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
	got := client.read("GET")
	if got.err != nil || !got.close || decompressed(t, got) != longText {
		t.Errorf("got %v", got.err)
	}
}

// What the pod has sent reaches the client although more is to come.
func TestCompression_streams(t *testing.T) {
	r := newRig(t)
	more := make(chan bool)
	r.serveFiltered(&model.Filters{Compression: &model.Compression{Gzip: true}}, model.Transport{}, nil,
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range 3 {
				io.WriteString(w, "part ")
				http.NewResponseController(w).Flush()
				<-more
			}
		})
	client := r.dial()
	client.send(request("GET", "/", "", "Accept-Encoding: gzip"))
	resp, err := http.ReadResponse(client.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		part := make([]byte, 5)
		if _, err := io.ReadFull(z, part); err != nil || string(part) != "part " {
			t.Fatalf("got %q, %v", part, err)
		}
		more <- true
	}
	if rest, err := io.ReadAll(z); err != nil || len(rest) > 0 {
		t.Errorf("then %q, %v", rest, err)
	}
}

// A response that the pod does not complete must not look complete.
func TestCompression_truncated(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startAnswering(t, "pod-a", "HTTP/1.1 200 OK\r\nContent-Type: text/css\r\nContent-Length: 5000\r\n\r\n"+longText[:3000]))
	route := routeTo(cart, nil)
	route.Filters = &model.Filters{Compression: &model.Compression{Gzip: true}}
	r.publish(route)
	if got := r.dial().get("/", "Accept-Encoding: gzip"); got.err == nil {
		t.Errorf("the response of %d bytes looks complete", len(got.body))
	}
}

func TestCompression_memoryBudget(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Memory = memory.NewBudget(1 << 20) })
	r.serveFiltered(&model.Filters{Compression: &model.Compression{Brotli: true}}, model.Transport{}, nil, respondAsAsked)
	got := r.dial().get("/?Content-Type=text/css", "Accept-Encoding: br")
	got.expectOK(t, longText)
	if got.header.Get("Content-Encoding") != "" {
		t.Error("the response is compressed beyond the memory budget")
	}
}
