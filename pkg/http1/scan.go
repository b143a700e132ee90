package http1

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Classes of bytes.
const (
	classToken  = 1 << iota // RFC 9110 section 5.6.2
	classOdd                // in a token, but neither letter, digit nor hyphen
	classTarget             // in a request target: visible ASCII but "#"
	classHost               // in a host name
	classHex
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
	return c
}()

// lower maps ASCII capitals to small letters and every other byte to itself.
var lower = func() (l [256]byte) {
	for b := range l {
		l[b] = byte(b)
		if 'A' <= b && b <= 'Z' {
			l[b] += 'a' - 'A'
		}
	}
	return l
}()

// ones times a byte is that byte eight times; tops are the top bits of eight bytes.
const ones, tops = 0x0101010101010101, 0x8080808080808080

// scan gives the index of the first byte at or after i that is not of that class.
func scan(buf []byte, i int, of uint8) int {
	for i < len(buf) && class[buf[i]]&of != 0 {
		i++
	}
	return i
}

// allOf reports whether all bytes are of that class.
func allOf(buf []byte, of uint8) bool { return scan(buf, 0, of) == len(buf) }

// IsToken reports whether b is a token (RFC 9110 section 5.6.2).
func IsToken(b []byte) bool { return len(b) > 0 && allOf(b, classToken) }

// IsFieldValue reports whether b can be the value of a field (RFC 9110 section 5.5).
func IsFieldValue(b []byte) bool { return textEnd(b, 0) == len(b) }

// indexColon gives the index of the first colon at or after i, len(buf) if there is none.
func indexColon(buf []byte, i int) int {
	for ; i+8 <= len(buf); i += 8 {
		x := binary.LittleEndian.Uint64(buf[i:]) ^ ':'*ones
		if found := (x - ones) &^ x & tops; found != 0 {
			return i + bits.TrailingZeros64(found)>>3
		}
	}
	for i < len(buf) && buf[i] != ':' {
		i++
	}
	return i
}

// textEnd gives the index of the first byte at or after i that cannot be in a field value or a reason phrase: a
// control character other than the tab (RFC 9110 section 5.5). It is len(buf) if there is none.
func textEnd(buf []byte, i int) int {
	for i+8 <= len(buf) {
		found := controls(binary.LittleEndian.Uint64(buf[i:]))
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

// controls marks, in the top bit of each byte, the control characters among eight bytes. Marks above the lowest one
// may be false, since the subtractions borrow.
func controls(x uint64) uint64 {
	del := x ^ 0x7f*ones
	return ((x-' '*ones)&^x | (del-ones)&^del) & tops
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

// nextElement takes the first element that is not empty off a comma-separated list (RFC 9110 section 5.6.1). It gives
// nil at the end of the list.
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
