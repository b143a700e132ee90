package filter

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"net/http"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/htpasswd"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// maxCredentials bounds a user name and a password together. Longer ones are refused.
const maxCredentials = 1024

// BasicAuth requires a user name and a password (RFC 7617). The status is 401 otherwise.
type BasicAuth struct {
	file        *htpasswd.File
	fingerprint []byte // of the file and its use: verified passwords count for no other one
	challenge   *Response
}

var (
	wwwAuthenticate    = []byte("WWW-Authenticate")
	retryAfterName     = []byte("Retry-After")
	tooManyFailures    = NewText(http.StatusTooManyRequests, "There were too many failed logins.").With(retryAfterName, []byte("1"))
	verificationsBusy  = NewText(http.StatusServiceUnavailable, "There are too many logins.").With(retryAfterName, []byte("5"))
	usersCannotBeRead  = NewText(http.StatusServiceUnavailable, "This route is not available.")
	authenticationText = "Authentication is required."
)

// NewPasswords returns a check of the credentials of a route, or nil if it requires none. A route for ACME challenges requires
// none either, because certificate authorities have no credentials: isChallenge is model.Route.ServesChallenges.
func NewPasswords(m *model.Passwords, isChallenge bool) AccessCheck {
	switch {
	case m == nil || isChallenge:
		return nil
	case m.Digest:
		return newDigestAuth(m)
	}
	file, _, err := htpasswd.Load(m.File)
	if err != nil {
		return failedCheck{}
	}
	return &BasicAuth{
		file: file, fingerprint: fingerprintOf(m),
		challenge: NewText(http.StatusUnauthorized, authenticationText).
			With(wwwAuthenticate, []byte(`Basic realm="`+quoteRealm(m.Realm)+`"`)),
	}
}

// failedCheck refuses all requests, because the list of users cannot be read.
type failedCheck struct{}

func (failedCheck) CheckAccess(*Request) (AccessDecision, *Response) {
	return AccessFailed, usersCannotBeRead
}

// quoteRealm returns the contents of a quoted string (RFC 9110 section 5.6.4).
func quoteRealm(realm string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(realm)
}

// withholdsAuthorization implements credentialCheck.
func (*BasicAuth) withholdsAuthorization() {}

// CheckAccess implements AccessCheck.
func (f *BasicAuth) CheckAccess(r *Request) (AccessDecision, *Response) {
	if r.Credentials == nil {
		return AccessFailed, usersCannotBeRead
	}
	text := basicCredentials(r.Head)
	if text == nil || len(text) > base64.StdEncoding.EncodedLen(maxCredentials) {
		return AccessRefused, f.challenge
	}
	s := r.Credentials.scratch.Get().(*scratch)
	defer func() {
		clear(s.decoded[:])
		r.Credentials.scratch.Put(s)
	}()
	user, password, ok := decodeCredentials(s.decoded[:0], text)
	if !ok {
		return AccessRefused, f.challenge
	}
	if r.IsDescribed {
		return f.respond(describedOutcome(f.file.Verify(user, password)))
	}
	now := time.Now()
	key := f.key(s, user, password)
	if r.Credentials.isVerified(key, now) {
		return AccessGranted, nil
	}
	return f.respond(r.Credentials.verify(key, r.ClientIP, f.file.IsSlow(user), now, func() bool {
		return f.file.Verify(user, password)
	}))
}

// describedOutcome returns the outcome for a described request, whose credentials are neither remembered nor counted as a
// failure.
func describedOutcome(isRight bool) outcome {
	if isRight {
		return outcomeRight
	}
	return outcomeWrong
}

func (f *BasicAuth) respond(result outcome) (AccessDecision, *Response) {
	switch result {
	case outcomeRight:
		return AccessGranted, nil
	case outcomeTooMany:
		return AccessRefused, tooManyFailures
	case outcomeBusy:
		return AccessFailed, verificationsBusy
	}
	return AccessRefused, f.challenge
}

// key returns the keyed hash of credentials.
func (f *BasicAuth) key(s *scratch, user, password []byte) credentialKey {
	s.mac.Reset()
	s.mac.Write(f.fingerprint)
	writeSized(s.mac, s.sum[:0], user)
	s.mac.Write(password)
	return credentialKey(s.mac.Sum(s.sum[:0]))
}

// writeSized writes a value after its length, so that the values before and after it cannot be confused with it.
func writeSized(h hash.Hash, space, value []byte) {
	h.Write(binary.BigEndian.AppendUint32(space, uint32(len(value))))
	h.Write(value)
}

// basicCredentials returns the credentials of the basic scheme, or nil without exactly one field.
func basicCredentials(head *http1.Request) []byte { return credentialsOf(head, "basic") }

// credentialsOf returns the text after the scheme in the Authorization field. It returns nil if the field is missing or repeated,
// or has another scheme.
func credentialsOf(head *http1.Request, scheme string) []byte {
	var value []byte
	for i := range head.Fields {
		if head.Fields[i].ID != http1.FieldAuthorization {
			continue
		}
		if value != nil {
			return nil
		}
		value = head.Fields[i].Value
	}
	if len(value) <= len(scheme) || value[len(scheme)] != ' ' || !http1.EqualFold(value[:len(scheme)], scheme) {
		return nil
	}
	return bytes.Trim(value[len(scheme):], " ")
}

// decodeCredentials decodes credentials of the basic scheme to dst, which must have the capacity for them. As in nginx, the
// padding may be missing, and the user name must not be empty.
func decodeCredentials(dst, text []byte) (user, password []byte, ok bool) {
	encoding := base64.StdEncoding
	if len(text)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	if encoding.DecodedLen(len(text)) > cap(dst) {
		return nil, nil, false
	}
	n, err := encoding.Decode(dst[:cap(dst)], text)
	if err != nil {
		return nil, nil, false
	}
	user, password, ok = bytes.Cut(dst[:n], []byte(":"))
	return user, password, ok && len(user) > 0
}

// fingerprintOf returns a hash of a list of users and its use.
func fingerprintOf(m *model.Passwords) []byte {
	mac := hmac.New(sha256.New, []byte("limpet users"))
	for _, text := range []string{m.Secret.Namespace, m.Secret.Name, m.Realm} {
		writeSized(mac, nil, []byte(text))
	}
	mac.Write(m.File)
	return mac.Sum(nil)
}
