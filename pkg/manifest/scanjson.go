package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// scanJSON splits a large JSON file, which must be a List.
func scanJSON(name string, in io.Reader, out *splitter) error {
	w := &window{in: in, line: 1}
	s := &jsonScanner{file: name, window: w, decoder: json.NewDecoder(w), out: out}
	err := s.object()
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errWindow):
		return tooLarge(name, w.line)
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{name, w.lineAt(s.decoder.InputOffset()), err.Error()}
	}
	return err
}

// jsonScanner reads the fields of a List.
type jsonScanner struct {
	file    string
	window  *window
	decoder *json.Decoder
	out     *splitter
	meta    metav1.TypeMeta
}

func (s *jsonScanner) object() error {
	if _, err := s.decoder.Token(); err != nil { // "{"
		return err
	}
	first := len(s.out.docs)
	for s.decoder.More() {
		key, err := s.decoder.Token()
		if err != nil {
			return err
		}
		if err := s.field(key); err != nil {
			return err
		}
	}
	if _, err := s.decoder.Token(); err != nil { // "}"
		return err
	}
	if !isList(s.meta) {
		return &Error{s.file, 1, "a JSON file of this size must be a List of objects"}
	}
	for _, d := range s.out.docs[first:] {
		d.inherited = itemMeta(s.meta)
	}
	return s.end()
}

// end requires that nothing follows.
func (s *jsonScanner) end() error {
	if _, err := s.decoder.Token(); !errors.Is(err, io.EOF) {
		return &Error{s.file, s.window.lineAt(s.decoder.InputOffset()), "found more than one JSON object"}
	}
	return nil
}

func (s *jsonScanner) field(key json.Token) error {
	switch key {
	case "items":
		return s.items()
	case "kind":
		return s.decoder.Decode(&s.meta.Kind)
	case "apiVersion":
		return s.decoder.Decode(&s.meta.APIVersion)
	}
	var ignored json.RawMessage
	return s.decoder.Decode(&ignored)
}

func (s *jsonScanner) items() error {
	if bracket, err := s.decoder.Token(); err != nil || bracket != json.Delim('[') {
		return errors.Join(err, &Error{s.file, s.window.line, "items must be a list"})
	}
	for s.decoder.More() {
		if err := s.item(); err != nil {
			return err
		}
	}
	_, err := s.decoder.Token() // "]"
	return err
}

func (s *jsonScanner) item() error {
	var text json.RawMessage
	if err := s.decoder.Decode(&text); err != nil {
		return err
	}
	end := s.decoder.InputOffset()
	line := s.window.lineAt(end - int64(len(text)))
	s.window.forget(end)
	var meta metav1.TypeMeta
	if err := json.Unmarshal(text, &meta); err == nil && meta.APIVersion != "" && meta.Kind != "" && !isWanted(meta) {
		s.out.skipped.add(Skipped{s.file, line, notSupported(meta)})
		return nil
	}
	text = bytes.Clone(text)
	return s.out.keep(&document{file: s.file, line: line, text: text, json: text})
}

// errWindow is the error of a window whose decoder needs more than one object may have.
var errWindow = errors.New("object too large")

// window bounds what the decoder reads ahead, and counts lines.
type window struct {
	in         io.Reader
	read, from int64   // bytes that were read, and forgotten
	line       int     // the line at from
	newlines   []int64 // offsets after the newlines since from
}

func (w *window) Read(p []byte) (int, error) {
	const step = 64 << 10
	if w.read-w.from > int64(maxDocument)+step {
		return 0, errWindow
	}
	n, err := w.in.Read(p[:min(len(p), step)])
	for i, c := range p[:n] {
		if c == '\n' {
			w.newlines = append(w.newlines, w.read+int64(i)+1)
		}
	}
	w.read += int64(n)
	return n, err
}

// lineAt returns the line of an offset that was not forgotten.
func (w *window) lineAt(offset int64) int {
	line := w.line
	for _, newline := range w.newlines {
		if newline > offset {
			break
		}
		line++
	}
	return line
}

// forget drops the text before the offset, which the decoder has passed.
func (w *window) forget(offset int64) {
	w.line = w.lineAt(offset)
	w.from = offset
	keep := 0
	for keep < len(w.newlines) && w.newlines[keep] <= offset {
		keep++
	}
	w.newlines = w.newlines[keep:]
}
