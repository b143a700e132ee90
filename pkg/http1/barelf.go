package http1

import "bytes"

// Some servers end all lines with a bare LF. RFC 9112, section 2.2, allows recipients to accept that. It is accepted in
// responses if no line of the section ends with CRLF. A bare LF between lines that end with CRLF is refused: an app that
// copies user input to a field without checking it creates such sections (response splitting).

// endsWithBareLF reports whether the first line of the section ends with a bare LF.
func endsWithBareLF(section []byte) bool {
	i := bytes.IndexByte(section, '\n')
	return i == 0 || i > 0 && section[i-1] != '\r'
}

// withCRLF returns a copy of the section at the start of buf, with CRLF instead of bare LF, and the length of the original. It
// returns ErrIncomplete if the end of the section is missing, and ErrLineEnd if the section has a CR.
func withCRLF(buf []byte) (section []byte, n int, err error) {
	end := bytes.Index(buf, emptyLine)
	switch {
	case len(buf) > 0 && buf[0] == '\n':
		n = 1
	case end >= 0:
		n = end + len(emptyLine)
	default:
		n = len(buf)
		err = ErrIncomplete
	}
	if bytes.IndexByte(buf[:n], '\r') >= 0 {
		return nil, 0, ErrLineEnd
	}
	if err != nil {
		return nil, 0, err
	}
	return bytes.ReplaceAll(buf[:n], emptyLine[:1], lineEnd), n, nil
}

var emptyLine, lineEnd = []byte("\n\n"), []byte("\r\n")
