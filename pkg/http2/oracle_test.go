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

// heard is what golang.org/x/net/http2 makes of one stream.
type oracleStream struct {
	sections []http2.MetaHeadersFrame
	data     []byte
	ended    bool
}

// listen reads the frames of a peer up to what cannot be read. It says whether that is something that RFC 9113 would have
// passed over, so that the peer may have gone on.
func readOracle(raw []byte) (streams map[uint32]*oracleStream, lenient bool) {
	streams = map[uint32]*oracleStream{}
	r := bytes.NewReader(raw)
	f := http2.NewFramer(nil, r)
	f.SetMaxReadFrameSize(MaxFrame)
	f.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	f.MaxHeaderListSize = 1 << 24 // those that are too long here are not looked at
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
		if _, ok := err.(http2.StreamError); ok { //nolint:errorlint // made there, and not wrapped
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

// hearPart takes what has come of a frame that is cut off.
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

// told is what became of a stream here.
type streamResult struct {
	id             uint32
	heads          []string // each with its fields
	body, trailers []byte
	complete       bool
}

// compare fails if a stream was read otherwise than the oracle has it.
func (got *streamResult) compare(t *testing.T, streams map[uint32]*oracleStream, lenient bool) {
	t.Helper()
	if len(got.heads) == 0 {
		return
	}
	want := streams[got.id]
	if want == nil || len(want.sections) < len(got.heads) {
		if !lenient {
			t.Fatalf("stream %d has %q, and the oracle has refused it", got.id, got.heads)
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

// describe puts pseudo fields into one order, and leaves the other ones in theirs. Spaces around values do not count: what
// pods say may have some.
func formatFields(fields []hpack.HeaderField) string {
	var pseudo, regular []string
	for _, f := range fields {
		if f.IsPseudo() {
			pseudo = append(pseudo, fmt.Sprintf("%s: %q\n", f.Name, f.Value))
		} else {
			regular = append(regular, fmt.Sprintf("%s: %q\n", f.Name, strings.Trim(f.Value, " \t")))
		}
	}
	slices.Sort(pseudo)
	return fmt.Sprint(pseudo, regular)
}

// fieldsOf gives a head of ours as it was sent.
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

// checkWritten fails if what we have sent cannot be read.
func checkWritten(t *testing.T, raw []byte) {
	t.Helper()
	f := http2.NewFramer(nil, bytes.NewReader(raw))
	f.SetMaxReadFrameSize(MaxFrame)
	f.ReadMetaHeaders = hpack.NewDecoder(tableSize, nil)
	for {
		if _, err := f.ReadFrame(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("what was sent cannot be read: %v\n%q", err, raw)
		}
	}
}
