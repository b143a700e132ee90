package http2

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// decode returns the names and values of a field section: name, value, ...
func decode(t *testing.T, block []byte) (fields []string, sensitive bool) {
	t.Helper()
	d := hpack.NewDecoder(0, func(f hpack.HeaderField) {
		fields = append(fields, f.Name, f.Value)
		sensitive = sensitive || f.Sensitive
	})
	if _, err := d.Write(block); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return fields, sensitive
}

func TestAppend_roundTrip(t *testing.T) {
	long := strings.Repeat("v", 100_000)
	for name, c := range map[string]struct {
		block     []byte
		want      []string
		sensitive bool
	}{
		"static name":         {AppendField(nil, []byte("Content-Type"), "text/plain"), []string{"content-type", "text/plain"}, false},
		"literal name":        {AppendField(nil, []byte("X-Sum"), []byte("5")), []string{"x-sum", "5"}, false},
		"no value":            {AppendField(nil, []byte("x"), ""), []string{"x", ""}, false},
		"long name and value": {AppendField(nil, []byte(long), long), []string{long, long}, false},
		"cookie":              {AppendField(nil, []byte("Set-Cookie"), "a=b"), []string{"set-cookie", "a=b"}, true},
		"credentials":         {AppendField(nil, []byte("authorization"), "Basic eA=="), []string{"authorization", "Basic eA=="}, true},
		"length":              {AppendLength(nil, math.MaxInt64), []string{"content-length", "9223372036854775807"}, false},
		"lines":               {AppendLines(nil, []byte("Host: a\r\nX-B: c: d\r\nE: \r\n")), []string{"host", "a", "x-b", "c: d", "e", ""}, false},
		"no lines":            {AppendLines(nil, nil), nil, false},
		"root":                {AppendPath(nil, []byte("/"), nil, false), []string{":path", "/"}, false},
		"path":                {AppendPath(nil, []byte("/a"), nil, false), []string{":path", "/a"}, false},
		"path and query":      {AppendPath(nil, []byte("/"), []byte("b=c"), true), []string{":path", "/?b=c"}, false},
		"empty query":         {AppendPath(nil, []byte("/a"), nil, true), []string{":path", "/a?"}, false},
		"cleartext GET": {AppendRequest(nil, []byte("GET"), false, []byte("a")),
			[]string{":method", "GET", ":scheme", "http", ":authority", "a"}, false},
		"POST over TLS": {AppendRequest(nil, []byte("POST"), true, []byte("a:1")),
			[]string{":method", "POST", ":scheme", "https", ":authority", "a:1"}, false},
		"another method": {AppendRequest(nil, []byte("PATCH"), true, []byte("a")),
			[]string{":method", "PATCH", ":scheme", "https", ":authority", "a"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, sensitive := decode(t, c.block)
			if !slices.Equal(got, c.want) || sensitive != c.sensitive {
				t.Errorf("got %.200q, sensitive: %v", got, sensitive)
			}
		})
	}
}

func TestAppendStatus_roundTrip(t *testing.T) {
	for status := 100; status <= 999; status++ {
		got, _ := decode(t, AppendStatus(nil, status))
		if want := []string{":status", strconv.Itoa(status)}; !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// TestStaticNames_matchRFC7541 checks the index of each name that has a FieldID.
func TestStaticNames_matchRFC7541(t *testing.T) {
	for id, index := range staticNames {
		if index == 0 {
			continue
		}
		name := http1.FieldID(id).String()
		if got, _ := decode(t, append(appendInt(nil, 0, 4, int(index)), 0)); !strings.EqualFold(got[0], name) {
			t.Errorf("index %d is %s, not %s", index, got[0], name)
		}
	}
}

func TestAppendField_noAllocations(t *testing.T) {
	space, name, value := make([]byte, 0, 1<<10), []byte("X-Request-ID"), []byte("abc")
	if n := testing.AllocsPerRun(100, func() { AppendField(AppendStatus(space, 404), name, value) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAppendBlock_splitsFrames(t *testing.T) {
	block := bytes.Repeat([]byte("b"), 10)
	for _, c := range []struct {
		maxFrame int
		end      bool
		want     string // type:flags:length
	}{{10, true, "1:5:10"}, {10, false, "1:4:10"}, {4, true, "1:1:4 9:0:4 9:4:2"}, {5, false, "1:0:5 9:4:5"}} {
		var got []string
		var joined []byte
		for b := appendBlock(nil, 7, block, c.end, c.maxFrame); len(b) > 0; {
			f := parseFrame(b)
			if f.stream != 7 {
				t.Errorf("stream %d", f.stream)
			}
			got = append(got, string(rune('0'+f.kind))+":"+string(rune('0'+f.flags))+":"+strconv.Itoa(f.length))
			joined = append(joined, b[frameHeadBytes:frameHeadBytes+f.length]...)
			b = b[frameHeadBytes+f.length:]
		}
		if strings.Join(got, " ") != c.want || !bytes.Equal(joined, block) {
			t.Errorf("at most %d: %q, want %s", c.maxFrame, got, c.want)
		}
	}
}
