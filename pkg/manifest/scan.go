package manifest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scanner splits files into documents. It keeps nothing of large files but the objects that Limpet reads.
type scanner struct {
	in       *bufio.Reader
	retained int // bytes of all documents
}

func newScanner() *scanner { return &scanner{in: bufio.NewReaderSize(nil, maxDocument+1)} }

// scan returns the documents of a file. Files of at most maxDocument bytes are read as a whole, which keeps anchors and
// positions exact. Larger ones, such as the export of a cluster, are split line by line or token by token.
func (s *scanner) scan(name string, r io.Reader) ([]*document, skips, error) {
	s.in.Reset(io.LimitReader(r, maxRead))
	head, err := s.in.Peek(maxDocument + 1)
	var out splitter
	switch {
	case errors.Is(err, io.EOF):
		out.docs = split(name, bytes.Clone(head))
	case err != nil:
		return nil, skips{}, fmt.Errorf("reading manifests: %s: %w", name, err)
	case isJSON(head):
		err = scanJSON(name, s.in, &out)
	default:
		err = scanYAML(name, s.in, &out)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, skips{}, err
	}
	for _, d := range out.docs {
		s.retained += len(d.text)
	}
	if s.retained > maxRetained {
		return nil, skips{}, &Error{name, 0, fmt.Sprintf("the manifests exceed %d MiB in total", maxRetained>>20)}
	}
	return out.docs, out.skipped, nil
}

func isJSON(head []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) }

// splitter collects the documents of a large file.
type splitter struct {
	docs     []*document
	skipped  skips
	retained int
}

// keep adds a document.
func (s *splitter) keep(d *document) error {
	s.docs = append(s.docs, d)
	if s.retained += len(d.text); s.retained > maxRetained {
		return &Error{d.file, d.line, fmt.Sprintf("the manifests exceed %d MiB in total", maxRetained>>20)}
	}
	return nil
}

// scanYAML splits a large YAML file.
func scanYAML(name string, in *bufio.Reader, out *splitter) error {
	doc := newPieces(name, 1)
	for number := 1; ; number++ {
		line, isCut, err := readLine(in)
		if len(line) > 0 {
			if isSeparator(line) {
				if err := doc.finish(out); err != nil {
					return err
				}
				doc = newPieces(name, number+1)
			} else if err := doc.add(line, number, isCut); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return doc.finish(out)
		}
		if err != nil {
			return fmt.Errorf("reading manifests: %s: %w", name, err)
		}
	}
}

// readLine returns the next line. isCut is true if the line is longer than a document may be: the rest is discarded. The
// line is valid until the next read.
func readLine(in *bufio.Reader) (line []byte, isCut bool, err error) {
	line, err = in.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		isCut = true
		_, err = in.ReadSlice('\n')
	}
	if isCut {
		line = nil
		if err == nil || errors.Is(err, io.EOF) {
			line = []byte("#\n") // its content is lost
		}
	}
	return line, isCut, err
}
