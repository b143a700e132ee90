package http2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// oracleStream holds the frames of one stream as decoded by golang.org/x/net/http2.
type oracleStream struct {
	sections []http2.MetaHeadersFrame
	data     []byte
	ended    bool
}

// readOracle decodes the frames of a peer up to the first invalid one. lenient reports whether RFC 9113 allows to ignore that
// frame, so that the code under test may have continued.
func readOracle(raw []byte) (streams map[uint32]*oracleStream, lenient bool) {
	streams = map[uint32]*oracleStream{}
	r := bytes.NewReader(raw)
	f := http2.NewFramer(nil, r)
	f.SetMaxReadFrameSize(MaxFrame)
	f.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	f.MaxHeaderListSize = 1 << 24 // longer ones are not compared
	for {
		head, err := f.ReadFrameHeader()
		if err != nil {
			return streams, false
		}
		rest := raw[len(raw)-r.Len():]
		if head.Type == http2.FrameData && head.Length <= MaxFrame && len(rest) < int(head.Length) {
			addPartialData(streams[head.StreamID], head, rest)
			return streams, false
		}
		frame, err := f.ReadFrameForHeader(head)
		if _, ok := err.(http2.StreamError); ok { //nolint:errorlint // never wrapped
			continue
		}
		if err != nil { // PRIORITY is an error of its stream, and PRIORITY_UPDATE is unknown here
			return streams, head.Type == http2.FramePriority || head.Type == 0x10
		}
		addOracleFrame(streams, frame)
	}
}

func addOracleFrame(streams map[uint32]*oracleStream, frame http2.Frame) {
	id := frame.Header().StreamID
	s := streams[id]
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		if s == nil {
			s = &oracleStream{}
			streams[id] = s
		}
		s.sections = append(s.sections, *f)
		s.ended = s.ended || f.StreamEnded()
	case *http2.DataFrame:
		if s != nil && !s.ended {
			s.data = append(s.data, f.Data()...)
			s.ended = f.StreamEnded()
		}
	}
}

// addPartialData adds the data of a truncated frame.
func addPartialData(s *oracleStream, head http2.FrameHeader, rest []byte) {
	length := int(head.Length)
	if head.Flags.Has(http2.FlagDataPadded) && len(rest) > 0 {
		length -= 1 + int(rest[0])
		rest = rest[1:]
	}
	if s != nil && !s.ended && length > 0 {
		s.data = append(s.data, rest[:min(len(rest), length)]...)
	}
}

// streamResult holds the heads and the body that the code under test received on a stream.
type streamResult struct {
	id             uint32
	heads          []string // each with its fields
	body, trailers []byte
	complete       bool
}

// compare fails if the result differs from the oracle.
func (got *streamResult) compare(t *testing.T, streams map[uint32]*oracleStream, lenient bool) {
	t.Helper()
	if len(got.heads) == 0 {
		return
	}
	want := streams[got.id]
	if want == nil || len(want.sections) < len(got.heads) {
		if !lenient {
			t.Fatalf("stream %d has %q, which the oracle rejects", got.id, got.heads)
		}
		return
	}
	for i, head := range got.heads {
		if text := formatFields(want.sections[i].Fields); head != text {
			t.Fatalf("stream %d: section %d is\n%s, the oracle has\n%s", got.id, i, head, text)
		}
	}
	if !bytes.HasPrefix(want.data, got.body) {
		t.Fatalf("stream %d: the body is %q, the oracle has %q", got.id, got.body, want.data)
	}
	if !got.complete {
		return
	}
	if last := want.sections[len(want.sections)-1].Fields; len(got.trailers) > 0 && string(got.trailers) != formatFields(last) {
		t.Fatalf("stream %d: the trailers are %q, the oracle has %q", got.id, got.trailers, formatFields(last))
	}
	if !lenient && (!want.ended || len(got.body) != len(want.data)) {
		t.Fatalf("stream %d has ended with %q, the oracle has %q", got.id, got.body, want.data)
	}
}

// formatFields returns the fields as text, with sorted pseudo-header fields. It trims values, because the values of pods may
// have surrounding spaces. It omits repeated lengths that are equal.
func formatFields(fields []hpack.HeaderField) string {
	var pseudo, regular []string
	length := ""
	for _, f := range fields {
		if f.Name == "content-length" {
			if value := strings.Trim(f.Value, " \t"); value == length {
				continue
			} else if length == "" {
				length = value
			}
		}
		if f.IsPseudo() {
			pseudo = append(pseudo, fmt.Sprintf("%s: %q\n", f.Name, f.Value))
		} else {
			regular = append(regular, fmt.Sprintf("%s: %q\n", f.Name, strings.Trim(f.Value, " \t")))
		}
	}
	slices.Sort(pseudo)
	return fmt.Sprint(pseudo, regular)
}

// headFields returns the fields of a Head.
func headFields(h *Head) []hpack.HeaderField {
	var fields []hpack.HeaderField
	for name, value := range map[string][]byte{
		":method": h.Method, ":scheme": h.Scheme, ":authority": h.Authority, ":path": h.Path, ":protocol": h.Protocol,
	} {
		if value != nil {
			fields = append(fields, hpack.HeaderField{Name: name, Value: string(value)})
		}
	}
	if h.Status != 0 {
		fields = append(fields, hpack.HeaderField{Name: ":status", Value: fmt.Sprint(h.Status)})
	}
	return append(fields, hpackFields(h.Fields)...)
}

func hpackFields(from []http1.Field) []hpack.HeaderField {
	var fields []hpack.HeaderField
	for _, f := range from {
		fields = append(fields, hpack.HeaderField{Name: string(f.Name), Value: string(f.Value)})
	}
	return fields
}

// checkWritten fails if the output is not a sequence of valid frames.
func checkWritten(t *testing.T, raw []byte) {
	t.Helper()
	f := http2.NewFramer(nil, bytes.NewReader(raw))
	f.SetMaxReadFrameSize(MaxFrame)
	f.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	for {
		if _, err := f.ReadFrame(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("invalid output: %v\n%q", err, raw)
		}
	}
}
