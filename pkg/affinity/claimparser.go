package affinity

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// claimParser parses a JSON text (RFC 8259) and keeps the value of one member of the outermost object. Its methods return
// false if the text is not valid JSON.
type claimParser struct {
	in   base64Reader
	c    byte // the next byte
	more bool // false at the end

	name  string
	buf   []byte // space for the value
	value []byte // nil if the value is neither a string nor a number, or too long
	count int    // number of members with the name
}

func (p *claimParser) advance() { p.c, p.more = p.in.next() }

// skipSpace reports whether a byte follows after the whitespace.
func (p *claimParser) skipSpace() bool {
	for p.more && (p.c == ' ' || p.c == '\t' || p.c == '\n' || p.c == '\r') {
		p.advance()
	}
	return p.more
}

// take skips whitespace and the byte c, and reports whether c was there.
func (p *claimParser) take(c byte) bool {
	if !p.skipSpace() || p.c != c {
		return false
	}
	p.advance()
	return true
}

func (p *claimParser) object(depth int) bool {
	if depth == maxClaimDepth || !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		if !p.member(depth) {
			return false
		}
		if !p.take(',') {
			return p.take('}')
		}
	}
}

// member parses a member of an object, and keeps its value if it is the claim.
func (p *claimParser) member(depth int) bool {
	var space [maxClaimName]byte
	if !p.skipSpace() || p.c != '"' {
		return false
	}
	name, fits, ok := p.text(space[:0])
	if !ok || !p.take(':') || !p.skipSpace() {
		return false
	}
	if depth > 0 || !fits || string(name) != p.name {
		return p.skip(depth + 1)
	}
	p.count++
	var value []byte
	switch {
	case p.c == '"':
		value, fits, ok = p.text(p.buf)
	case p.c == '-' || isDigit(p.c):
		value, fits, ok = p.number(p.buf)
	default:
		return p.skip(depth + 1)
	}
	if fits {
		p.value = value
	}
	return ok
}

func (p *claimParser) skip(depth int) bool {
	if !p.skipSpace() {
		return false
	}
	switch p.c {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		_, _, ok := p.text(nil)
		return ok
	case 't':
		return p.literal("true")
	case 'f':
		return p.literal("false")
	case 'n':
		return p.literal("null")
	default:
		_, _, ok := p.number(nil)
		return ok
	}
}

func (p *claimParser) array(depth int) bool {
	if depth == maxClaimDepth || !p.take('[') {
		return false
	}
	if p.take(']') {
		return true
	}
	for {
		if !p.skip(depth + 1) {
			return false
		}
		if !p.take(',') {
			return p.take(']')
		}
	}
}

func (p *claimParser) literal(word string) bool {
	for i := range len(word) {
		if !p.more || p.c != word[i] {
			return false
		}
		p.advance()
	}
	return true
}

// appendFitting appends add to dst unless it exceeds the capacity. It reports whether it fits.
func appendFitting(dst []byte, add ...byte) ([]byte, bool) {
	if len(dst)+len(add) > cap(dst) {
		return dst, false
	}
	return append(dst, add...), true
}

// text parses a string and appends it to dst. It returns false for fits if the capacity of dst is too small.
func (p *claimParser) text(dst []byte) (value []byte, fits, ok bool) {
	fits = true
	for p.advance(); p.more && p.c >= ' '; p.advance() {
		switch p.c {
		case '"':
			p.advance()
			return dst, fits, true
		case '\\':
			var r [utf8.UTFMax]byte
			n, isEscape := p.escape(&r)
			if !isEscape {
				return nil, false, false
			}
			if fits {
				dst, fits = appendFitting(dst, r[:n]...)
			}
		default:
			if fits = fits && len(dst) < cap(dst); fits {
				dst = append(dst, p.c)
			}
		}
	}
	return nil, false, false
}

// escape parses the rest of an escape sequence into r, and returns the number of its bytes.
func (p *claimParser) escape(r *[utf8.UTFMax]byte) (n int, ok bool) {
	p.advance()
	if !p.more {
		return 0, false
	}
	if i := bytes.IndexByte([]byte(`"\/bfnrt`), p.c); i >= 0 {
		r[0] = "\"\\/\b\f\n\r\t"[i]
		return 1, true
	}
	if p.c != 'u' {
		return 0, false
	}
	code, ok := p.hex4()
	if ok && utf16.IsSurrogate(code) {
		code, ok = p.secondSurrogate(code)
	}
	if !ok {
		return 0, false
	}
	return utf8.EncodeRune(r[:], code), true
}

// secondSurrogate parses the second half of a surrogate pair, and returns the rune.
func (p *claimParser) secondSurrogate(first rune) (code rune, ok bool) {
	for _, c := range []byte(`\u`) {
		if p.advance(); !p.more || p.c != c {
			return 0, false
		}
	}
	second, ok := p.hex4()
	code = utf16.DecodeRune(first, second)
	return code, ok && code != utf8.RuneError
}

func (p *claimParser) hex4() (code rune, ok bool) {
	for range 4 {
		p.advance()
		if !p.more || unhex[p.c] < 0 {
			return 0, false
		}
		code = code<<4 | rune(unhex[p.c])
	}
	return code, true
}

// number parses a number and appends it to dst as it is written.
func (p *claimParser) number(dst []byte) (value []byte, fits, ok bool) {
	fits = true
	if p.more && p.c == '-' {
		dst, fits = p.keep(dst, fits)
	}
	if isZero := p.more && p.c == '0'; isZero {
		dst, fits = p.keep(dst, fits)
	} else if dst, fits, ok = p.digits(dst, fits); !ok {
		return nil, false, false
	}
	if p.more && p.c == '.' {
		dst, fits = p.keep(dst, fits)
		if dst, fits, ok = p.digits(dst, fits); !ok {
			return nil, false, false
		}
	}
	if p.more && (p.c == 'e' || p.c == 'E') {
		return p.exponent(dst, fits)
	}
	return dst, fits, true
}

// exponent appends an exponent to dst.
func (p *claimParser) exponent(dst []byte, fits bool) (value []byte, stillFits, ok bool) {
	dst, fits = p.keep(dst, fits)
	if p.more && (p.c == '+' || p.c == '-') {
		dst, fits = p.keep(dst, fits)
	}
	return p.digits(dst, fits)
}

// keep appends the next byte to dst and takes it.
func (p *claimParser) keep(dst []byte, fits bool) ([]byte, bool) {
	if fits {
		dst, fits = appendFitting(dst, p.c)
	}
	p.advance()
	return dst, fits
}

// digits appends digits to dst. It returns false for ok if there is no digit.
func (p *claimParser) digits(dst []byte, fits bool) (value []byte, stillFits, ok bool) {
	for p.more && isDigit(p.c) {
		dst, fits = p.keep(dst, fits)
		ok = true
	}
	return dst, fits, ok
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
