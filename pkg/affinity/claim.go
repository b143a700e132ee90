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
	if !ok || len(header) == 0 || len(payload) == 0 || !isTokenText(header) || !isTokenText(signature) {
		return nil
	}
	return payload
}

func isTokenText(text []byte) bool {
	for _, c := range text {
		if !isTokenByte(c) {
			return false
		}
	}
	return true
}

// base64Reader decodes base64url without padding (RFC 4648, section 5), byte by byte.
type base64Reader struct {
	text      []byte
	bits      uint32 // bits that are not returned yet, in the low bits
	count     int    // number of these bits
	isInvalid bool
}

// next returns the next byte. It returns false at the end, and after an error.
func (r *base64Reader) next() (c byte, ok bool) {
	for r.count < 8 {
		if len(r.text) == 0 {
			r.isInvalid = r.isInvalid || r.count >= 6 || r.bits != 0
			return 0, false
		}
		v := base64Values[r.text[0]]
		if v < 0 {
			r.isInvalid, r.text = true, nil
			return 0, false
		}
		r.bits, r.count, r.text = r.bits<<6|uint32(v), r.count+6, r.text[1:]
	}
	r.count -= 8
	c = byte(r.bits >> r.count)
	r.bits &= 1<<r.count - 1
	return c, true
}

// base64Values maps a base64url digit to its value, and any other byte to -1.
var base64Values = func() (table [256]int8) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for c := range table {
		table[c] = int8(bytes.IndexByte([]byte(digits), byte(c)))
	}
	return table
}()
