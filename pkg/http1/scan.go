package http1

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Character classes.
const (
	classToken  = 1 << iota // RFC 9110 section 5.6.2
	classOdd                // in a token, except letters, digits and hyphens
	classTarget             // in a request target: visible ASCII but "#"
	classHost               // in a host name
	classHex
	classNonASCII
)

var class = func() (c [256]uint8) {
	mark := func(bytes string, bit uint8) {
		for i := range len(bytes) {
			c[bytes[i]] |= bit
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const digits = "0123456789"
	mark(letters+digits+"-", classToken)
	mark("!#$%&'*+.^_`|~", classToken|classOdd)
	mark(letters+digits+"-._", classHost)
	mark(digits+"abcdefABCDEF", classHex)
	for b := '!'; b <= '~'; b++ {
		c[b] |= classTarget
	}
	c['#'] &^= classTarget
	for b := 0x80; b < len(c); b++ {
		c[b] |= classNonASCII
	}
	return c
}()

// lower maps ASCII letters to lower case, and all other bytes to themselves.
var lower = func() (l [256]byte) {
	for b := range l {
		l[b] = byte(b)
		if 'A' <= b && b <= 'Z' {
			l[b] += 'a' - 'A'
		}
	}
	return l
}()

// lowBits multiplied by a byte repeats it eight times. highBits has the top bits of eight bytes.
const lowBits, highBits = 0x0101010101010101, 0x8080808080808080

// scan returns the index of the first byte at or after i that is not in the class.
func scan(buf []byte, i int, of uint8) int {
	for i < len(buf) && class[buf[i]]&of != 0 {
		i++
	}
	return i
}

// allOf reports whether all bytes are in the class.
func allOf(buf []byte, of uint8) bool { return scan(buf, 0, of) == len(buf) }

// IsToken reports whether b is a token (RFC 9110 section 5.6.2).
func IsToken(b []byte) bool { return len(b) > 0 && allOf(b, classToken) }

// IsFieldValue reports whether b is a valid field value (RFC 9110, section 5.5).
func IsFieldValue(b []byte) bool { return textEnd(b, 0) == len(b) }

// indexColon returns the index of the first colon at or after i, or len(buf) if there is no colon.
func indexColon(buf []byte, i int) int {
	for ; i+8 <= len(buf); i += 8 {
		x := binary.LittleEndian.Uint64(buf[i:]) ^ ':'*lowBits
		if found := (x - lowBits) &^ x & highBits; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(buf) && buf[i] != ':' {
		i++
	}
	return i
}

// textEnd returns the index of the first byte at or after i that is not allowed in a field value or reason phrase:
// a control character other than tab (RFC 9110, section 5.5). It returns len(buf) if it finds none.
func textEnd(buf []byte, i int) int {
	for i+8 <= len(buf) {
		found := controlChars(binary.LittleEndian.Uint64(buf[i:]))
		if found == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(found) >> 3
		if buf[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(buf) && isText(buf[i]) {
		i++
	}
	return i
}

// controlChars marks control characters in the top bits of eight bytes. Only the lowest mark is reliable, because
// the subtractions borrow.
func controlChars(x uint64) uint64 {
	del := x ^ 0x7f*lowBits
	return ((x-' '*lowBits)&^x | (del-lowBits)&^del) & highBits
}

func isText(b byte) bool { return b >= ' ' && b != 0x7f || b == '\t' }

func isSpace(b byte) bool { return b == ' ' || b == '\t' }

// trimSpace removes optional whitespace (RFC 9110 section 5.6.3) from both ends.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// nextElement returns the first non-empty element of a comma-separated list (RFC 9110, section 5.6.1), and the
// rest. It returns nil at the end of the list.
func nextElement(list []byte) (element, rest []byte) {
	for len(list) > 0 {
		i := bytes.IndexByte(list, ',')
		if i < 0 {
			i = len(list)
		}
		element, list = trimSpace(list[:i]), list[min(i+1, len(list)):]
		if len(element) > 0 {
			return element, list
		}
	}
	return nil, nil
}

// NextElement returns the first non-empty element of a comma-separated list (RFC 9110, section 5.6.1), and the rest. It
// returns nil at the end of the list. It does not interpret quotes.
func NextElement(list []byte) (element, rest []byte) { return nextElement(list) }

// FirstElement returns the first non-empty element of a comma-separated list, or nil.
func FirstElement(list []byte) []byte {
	element, _ := nextElement(list)
	return element
}
