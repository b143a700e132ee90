package http1

import (
	"bytes"
	"math"
)

// Chunked reads a chunked body (RFC 9112 section 7.1) piece by piece, from buffers of any size.
type Chunked struct {
	// Trailers are the fields after the last chunk, known once Next said done. They are copies held by the Chunked,
	// valid until Reset.
	Trailers []Field

	lim       *Limits
	left      int64 // bytes that the chunk still has
	digits    int   // how many digits its size has so far
	extension int   // bytes of chunk extensions in the body so far
	section   []byte
	state     chunkState
}

// chunkState says what comes next.
type chunkState uint8

const (
	inSize      chunkState = iota // digits, ";" or CR
	inExtension                   // up to CR
	atSizeLF
	inData
	atDataCR
	atDataLF
	inTrailers
	atEnd
)

// mostDigits is how many digits a chunk size may have, zeros in front included.
const mostDigits = 16

// Reset makes c ready for another body and keeps its memory.
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

// take gives what buf has of the chunk's data.
func (c *Chunked) take(buf []byte) []byte {
	n := min(c.left, int64(len(buf)))
	c.left -= n
	if c.left == 0 {
		c.state = atDataCR
	}
	return buf[:n:n]
}

// step takes in one byte of what is around the data.
func (c *Chunked) step(b byte) error {
	switch c.state {
	case inSize:
		return c.sizeByte(b)
	case inExtension:
		return c.extensionByte(b)
	case atSizeLF:
		return c.endSize(b)
	case atDataCR:
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
	switch b {
	case '\r':
		c.state = atSizeLF
	case ';':
		c.state = inExtension
	default:
		return ErrChunkSize
	}
	return nil
}

func (c *Chunked) digit(b byte) error {
	if c.digits++; c.digits > mostDigits || c.left > math.MaxInt64>>4 {
		return ErrChunkTooLarge
	}
	c.left = c.left<<4 | int64(hexValue(b))
	return nil
}

// extensionByte passes over an extension, which is dropped. Its grammar does not matter as long as it holds no control
// character: nothing in it can then be taken for the end of the line.
func (c *Chunked) extensionByte(b byte) error {
	if b == '\r' {
		c.state = atSizeLF
		return nil
	}
	if c.extension++; !isText(b) || c.extension > c.lim.ChunkExtensionBytes {
		return ErrChunkExtension
	}
	return nil
}

// endSize ends the line with the size. A size of 0 ends the body.
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

// readTrailers collects the trailer section from buf[n:] on, since it may come in pieces, and reads it once it is
// whole. It gives the index after what it took.
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
		if hasHeadEnd(c.section, len(c.section)-1) {
			c.state = atEnd
		}
	}
	if c.state == inTrailers {
		return n, ErrIncomplete
	}
	return n, c.parseTrailers()
}

func (c *Chunked) parseTrailers() (err error) {
	c.Trailers, _, err = appendFields(c.Trailers[:0], c.section, 0, c.lim.Fields)
	return err
}
