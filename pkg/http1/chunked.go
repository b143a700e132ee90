package http1

import (
	"bytes"
	"math"
)

// Chunked decodes a chunked body (RFC 9112, section 7.1) incrementally, from buffers of any size. Reset must be
// called before the first use.
type Chunked struct {
	// Trailers are the fields after the last chunk. They are set when Next returns done, point to memory of the
	// Chunked, and are valid until Reset.
	Trailers []Field

	lim       *Limits
	left      int64 // remaining bytes of the current chunk
	digits    int   // digits of the chunk size so far
	extension int   // bytes of chunk extensions in the body so far
	section   []byte
	state     chunkState

	lenient    bool // the body is of a response, and may deviate from the grammar: see docs/adr/0051
	normalized bool // it does
}

// chunkState is the state of the decoder: what it expects next.
type chunkState uint8

const (
	inSize      chunkState = iota // digits, ";" or CR
	inPadding                     // blanks after the digits, up to ";" or CR
	inExtension                   // up to CR
	atSizeLF
	inData
	atDataCR
	atDataLF
	inTrailers
	atEnd
)

// maxSizeDigits is the maximum number of digits of a chunk size, including leading zeros.
const maxSizeDigits = 16

// Reset prepares c for the next body and keeps its memory.
func (c *Chunked) Reset(lim *Limits) {
	*c = Chunked{lim: lim, Trailers: c.Trailers[:0], section: c.section[:0]}
}

// Next consumes the first n bytes of buf. Exactly one of these holds:
//
//	data is not empty   a piece of the body, inside buf; call again with buf[n:], even if that is empty
//	done                the body has ended with byte n; c.Trailers is set
//	err ErrIncomplete   all of buf is consumed (n == len(buf)): call again with the bytes that follow
//	err *Error          the body is malformed
func (c *Chunked) Next(buf []byte) (data []byte, n int, done bool, err error) {
	for n < len(buf) && c.state < inTrailers {
		if c.state == inData {
			data = c.take(buf[n:])
			return data, n + len(data), false, nil
		}
		if err = c.step(buf[n]); err != nil {
			return nil, n, false, err
		}
		n++
	}
	if c.state < inTrailers {
		return nil, n, false, ErrIncomplete
	}
	n, err = c.readTrailers(buf, n)
	return nil, n, err == nil, err
}

// take returns the part of the chunk's data that is in buf.
func (c *Chunked) take(buf []byte) []byte {
	n := min(c.left, int64(len(buf)))
	c.left -= n
	if c.left == 0 {
		c.state = atDataCR
	}
	return buf[:n:n]
}

// step processes one byte outside of chunk data.
func (c *Chunked) step(b byte) error {
	switch c.state {
	case inSize:
		return c.sizeByte(b)
	case inPadding:
		return c.paddingByte(b)
	case inExtension:
		return c.extensionByte(b)
	case atSizeLF:
		return c.endSize(b)
	case atDataCR:
		if b == '\n' && c.lenient {
			c.state, c.normalized = inSize, true
			return nil
		}
		return c.expect(b, '\r', atDataLF)
	default: // atDataLF
		return c.expect(b, '\n', inSize)
	}
}

func (c *Chunked) expect(b, want byte, then chunkState) error {
	if b != want {
		return ErrChunkEnd
	}
	c.state = then
	return nil
}

func (c *Chunked) sizeByte(b byte) error {
	if class[b]&classHex != 0 {
		return c.digit(b)
	}
	if c.digits == 0 {
		return ErrChunkSize
	}
	return c.paddingByte(b)
}

// paddingByte processes a byte after the digits of a chunk size. Only responses may have blanks there, or end the line with a
// bare LF.
func (c *Chunked) paddingByte(b byte) error {
	switch {
	case b == '\r':
		c.state = atSizeLF
	case b == ';':
		c.state = inExtension
	case !c.lenient:
		return ErrChunkSize
	case b == '\n':
		c.normalized = true
		return c.endSize(b)
	case isSpace(b):
		c.state = inPadding
		return c.countExtension()
	default:
		return ErrChunkSize
	}
	return nil
}

func (c *Chunked) digit(b byte) error {
	if c.digits++; c.digits > maxSizeDigits || c.left > math.MaxInt64>>4 {
		return ErrChunkTooLarge
	}
	c.left = c.left<<4 | int64(hexValue(b))
	return nil
}

// extensionByte skips a byte of a chunk extension. The grammar of extensions is not checked. Control characters are
// rejected, so that an extension cannot contain a line end for any recipient.
func (c *Chunked) extensionByte(b byte) error {
	if b == '\r' {
		c.state = atSizeLF
		return nil
	}
	if !isText(b) {
		return ErrChunkExtension
	}
	return c.countExtension()
}

// countExtension limits the bytes after the digits of all chunk sizes.
func (c *Chunked) countExtension() error {
	if c.extension++; c.extension > c.lim.ChunkExtensionBytes {
		return ErrChunkExtension
	}
	return nil
}

// endSize processes the LF after the chunk size. A size of 0 ends the body.
func (c *Chunked) endSize(b byte) error {
	if b != '\n' {
		return ErrChunkEnd
	}
	c.digits = 0
	c.state = inData
	if c.left == 0 {
		c.state = inTrailers
	}
	return nil
}

// readTrailers collects the trailer section from buf[n:], and parses it once it is complete. It returns the index
// of the first byte that it did not consume.
func (c *Chunked) readTrailers(buf []byte, n int) (int, error) {
	for n < len(buf) && c.state == inTrailers {
		line := buf[n:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if len(c.section)+len(line) > c.lim.TrailerBytes {
			return n, ErrTrailerTooLarge
		}
		c.section = append(c.section, line...)
		n += len(line)
		if c.hasTrailerEnd() {
			c.state = atEnd
		}
	}
	if c.state == inTrailers {
		return n, ErrIncomplete
	}
	return n, c.parseTrailers()
}

// hasTrailerEnd reports whether section is complete, or has a line end that parseTrailers rejects.
func (c *Chunked) hasTrailerEnd() bool {
	if !c.lenient || !endsWithBareLF(c.section) {
		return hasHeadEnd(c.section, len(c.section)-1)
	}
	_, _, err := withCRLF(c.section)
	return err != ErrIncomplete
}

func (c *Chunked) parseTrailers() (err error) {
	section := c.section
	if c.lenient && endsWithBareLF(section) {
		c.normalized = true
		if section, _, err = withCRLF(section); err != nil {
			return err
		}
	}
	c.Trailers, _, err = appendFields(c.Trailers[:0], section, 0, c.lim.Fields)
	return err
}
