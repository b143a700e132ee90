package affinity

import "bytes"

// This file reads a claim of a JSON Web Token (RFC 7519) in compact form (RFC 7515, section 3.1). Nothing verifies the token:
// anyone can write one. A claim therefore only ever selects the endpoint, as any other value of the client does.

const (
	// maxJWT is the maximum length of a JSON Web Token in bytes, with the scheme before it. A longer one is ignored.
	maxJWT = 8192
	// maxClaim is the maximum length of the value of a claim, and maxClaimName that of its name, in bytes.
	maxClaim     = maxParameter
	maxClaimName = 128
	// maxClaimDepth is the maximum depth of objects and arrays in the payload of a JSON Web Token.
	maxClaimDepth = 16
)

// claim returns the value of a claim of a JSON Web Token, which may follow the scheme "Bearer". It returns nil if the token
// is malformed, or if the claim is missing, empty, repeated, longer than maxClaim, or neither a string nor a number. The
// value is valid until the next call.
func (state *ConnState) claim(token []byte, name string) []byte {
	payload := jwtPayload(token)
	if payload == nil {
		return nil
	}
	if state.value == nil {
		state.value = make([]byte, maxParameter)
	}
	p := claimParser{in: base64Reader{text: payload}, name: name, buf: state.value[:0:maxClaim]}
	if p.advance(); !p.object(0) || p.skipSpace() || p.in.isInvalid || p.count != 1 || len(p.value) == 0 {
		return nil
	}
	return p.value
}

// jwtPayload returns the payload of a JSON Web Token, or nil. Encrypted tokens have five parts instead of three.
func jwtPayload(token []byte) []byte {
	if len(token) > maxJWT {
		return nil
	}
	const scheme = "bearer "
	if len(token) > len(scheme) && bytes.EqualFold(token[:len(scheme)], []byte(scheme)) {
		token = bytes.TrimLeft(token[len(scheme):], " ")
	}
	header, rest, _ := bytes.Cut(token, []byte("."))
	payload, signature, ok := bytes.Cut(rest, []byte("."))
	if !ok || len(header) == 0 || len(payload) == 0 || !isTokenText(header) || !isTokenText(payload) || !isTokenText(signature) {
		return nil
	}
	return payload
}

func isTokenText(text []byte) bool {
	for _, c := range text {
		if !isTokenChar[c] {
			return false
		}
	}
	return true
}

// isTokenChar has the result of isTokenByte for each byte.
var isTokenChar = func() (table [256]bool) {
	for c := range table {
		table[c] = isTokenByte(byte(c))
	}
	return table
}()

// base64Reader decodes base64url without padding (RFC 4648, section 5), in small steps.
type base64Reader struct {
	text      []byte
	buf       [96]byte
	at, end   int // the part of buf that is not returned yet
	isInvalid bool
}

// next returns the next byte. It returns false at the end, and after an error.
func (r *base64Reader) next() (c byte, ok bool) {
	if r.at == r.end && !r.fill() {
		return 0, false
	}
	c = r.buf[r.at]
	r.at++
	return c, true
}

// fill decodes more of the text. The text must consist of digits of the encoding: Decode skips line breaks.
func (r *base64Reader) fill() bool {
	step := r.text[:min(len(r.text), len(r.buf)/3*4)]
	n, err := tokenEncoding.Decode(r.buf[:], step)
	if err != nil {
		r.isInvalid, r.text = true, nil
		return false
	}
	r.text, r.at, r.end = r.text[len(step):], 0, n
	return n > 0
}
