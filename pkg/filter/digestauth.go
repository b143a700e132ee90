package filter

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the algorithm that most clients and files use
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/htpasswd"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// DigestAuth requires credentials of the digest scheme (RFC 7616) with qop auth. The algorithms are MD5 and, for users whose
// hash the file has, SHA-256. Nonces are authenticated by keys that all replicas share, so each of them accepts the nonces of
// the others. A replica refuses credentials that it has seen before.
type DigestAuth struct {
	file        *htpasswd.DigestFile
	realm       string
	fingerprint []byte
	// algorithms are the hash algorithms of the users, the preferred one first.
	algorithms []digestAlgorithm
}

// digestAlgorithm is a hash algorithm of the digest scheme.
type digestAlgorithm struct {
	name     string
	isSHA256 bool
}

var (
	digestMD5    = digestAlgorithm{"MD5", false}
	digestSHA256 = digestAlgorithm{"SHA-256", true}
)

func newDigestAuth(m *model.Passwords) AccessCheck {
	file, _, err := htpasswd.LoadDigest(m.File)
	if err != nil {
		return failedCheck{}
	}
	f := &DigestAuth{file: file, realm: m.Realm, fingerprint: fingerprintOf(m)}
	if file.Has(m.Realm, true) {
		f.algorithms = append(f.algorithms, digestSHA256)
	}
	if file.Has(m.Realm, false) || len(f.algorithms) == 0 {
		f.algorithms = append(f.algorithms, digestMD5)
	}
	return f
}

// withholdsAuthorization implements credentialCheck.
func (*DigestAuth) withholdsAuthorization() {}

// CheckAccess implements AccessCheck.
func (f *DigestAuth) CheckAccess(r *Request) (AccessDecision, *Response) {
	var keys [][32]byte
	if r.Credentials != nil {
		keys = r.Credentials.NonceKeys()
	}
	if len(keys) == 0 {
		return AccessFailed, usersCannotBeRead
	}
	now := time.Now()
	p, ok := parseDigest(credentialsOf(r.Head, "digest"))
	if !ok {
		return AccessRefused, f.challenge(&keys[0], now, false)
	}
	n, isFresh := parseNonce(p.nonce, keys, f.fingerprint, now)
	switch {
	case !r.IsDescribed && r.Credentials.isBlocked(r.ClientIP, now):
		return AccessRefused, tooManyFailures
	case !f.verify(&p, r.Head):
		if !r.IsDescribed {
			r.Credentials.recordFailure(r.ClientIP, now)
		}
		return AccessRefused, f.challenge(&keys[0], now, false)
	case !isFresh || !r.IsDescribed && !r.Credentials.nonces.use(n, p.count, now):
		return AccessRefused, f.challenge(&keys[0], now, true)
	}
	return AccessGranted, nil
}

// challenge returns a response with a new nonce. isStale reports that the credentials were right, but the nonce was not.
func (f *DigestAuth) challenge(key *[32]byte, now time.Time, isStale bool) *Response {
	resp := NewText(http.StatusUnauthorized, authenticationText)
	n := newNonce(key, f.fingerprint, now)
	for _, algorithm := range f.algorithms {
		value := fmt.Sprintf(`Digest realm="%s", qop="auth", algorithm=%s, nonce="%s"`, quoteRealm(f.realm), algorithm.name, n.text())
		if isStale {
			value += ", stale=true"
		}
		resp.With(wwwAuthenticate, []byte(value))
	}
	return resp
}

// verify reports whether the response belongs to a user and to this request.
func (f *DigestAuth) verify(p *digestParams, head *http1.Request) bool {
	if string(p.realm) != f.realm || !isTarget(p.uri, head) {
		return false
	}
	secret, isKnown := f.file.Hash(htpasswd.DigestKey{User: string(p.user), Realm: f.realm, SHA256: p.isSHA256})
	request := p.hash(string(head.Method), string(p.uri))
	want := p.hash(secret, string(p.nonce), string(p.countText), string(p.cnonce), "auth", request)
	return subtle.ConstantTimeCompare([]byte(want), bytes.ToLower(p.response)) == 1 && isKnown
}

// isTarget reports whether uri is the target that the client requested.
func isTarget(uri []byte, head *http1.Request) bool {
	path, query, hasQuery := bytes.Cut(uri, []byte("?"))
	return bytes.Equal(path, head.Path) && hasQuery == head.HasQuery && bytes.Equal(query, head.Query)
}

// digestParams are the parameters of credentials of the digest scheme.
type digestParams struct {
	user, realm, nonce, uri, cnonce, response []byte
	countText                                 []byte
	count                                     uint32
	isSHA256                                  bool
}

// hash returns the hash of the parts, separated by colons, in hex.
func (p *digestParams) hash(parts ...string) string {
	text := []byte(strings.Join(parts, ":"))
	if p.isSHA256 {
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:])
	}
	sum := md5.Sum(text) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// parseDigest parses credentials. It refuses everything that it would have to guess: unknown algorithms, a missing qop, and
// repeated parameters.
func parseDigest(text []byte) (p digestParams, ok bool) {
	const longest, countDigits = 4096, 8
	if len(text) == 0 || len(text) > longest {
		return p, false
	}
	params, ok := readParams(text)
	if !ok || params["qop"] != "auth" || params["userhash"] == "true" {
		return p, false
	}
	switch strings.ToLower(params["algorithm"]) {
	case "", "md5":
	case "sha-256":
		p.isSHA256 = true
	default:
		return p, false
	}
	count, err := strconv.ParseUint(params["nc"], 16, 32)
	if err != nil || len(params["nc"]) != countDigits {
		return p, false
	}
	p.count, p.countText = uint32(count), []byte(params["nc"])
	p.user, p.realm, p.nonce = []byte(params["username"]), []byte(params["realm"]), []byte(params["nonce"])
	p.uri, p.cnonce, p.response = []byte(params["uri"]), []byte(params["cnonce"]), []byte(params["response"])
	return p, len(p.user) > 0 && len(p.cnonce) > 0 && len(p.uri) > 0 && len(p.response) > 0
}

// readParams parses a list of parameters (RFC 9110 section 11.2) by their names in lower case.
func readParams(text []byte) (params map[string]string, ok bool) {
	const most = 16
	params = map[string]string{}
	for len(text) > 0 {
		name, rest, found := bytes.Cut(text, []byte("="))
		name = bytes.ToLower(bytes.Trim(name, " \t"))
		if !found || !http1.IsToken(name) || len(params) == most {
			return nil, false
		}
		value, rest, ok := readParamValue(bytes.TrimLeft(rest, " \t"))
		if _, isRepeated := params[string(name)]; !ok || isRepeated {
			return nil, false
		}
		params[string(name)] = value
		text = bytes.Trim(rest, " \t")
	}
	return params, true
}

// readParamValue reads a token or a quoted string, and the comma after it.
func readParamValue(text []byte) (value string, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		token, rest, _ := bytes.Cut(text, []byte(","))
		token = bytes.TrimRight(token, " \t")
		return string(token), rest, http1.IsToken(token)
	}
	var out []byte
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			rest = bytes.TrimLeft(text[i+1:], " \t")
			if len(rest) > 0 && rest[0] != ',' {
				return "", nil, false
			}
			return string(out), bytes.TrimPrefix(rest, []byte(",")), true
		case '\\':
			if i++; i == len(text) {
				return "", nil, false
			}
		}
		out = append(out, text[i])
	}
	return "", nil, false
}
