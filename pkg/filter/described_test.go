package filter

import (
	"fmt"
	"testing"
	"time"
)

// A described request is verified, but nothing is remembered about it.
func TestPasswords_describedRequest(t *testing.T) {
	c := newTestCredentials()
	describe := func(check AccessCheck, authorization string) (AccessDecision, int) {
		r := withCredentials(c, authorization)
		r.IsDescribed, r.Head.Method, r.Head.Path = true, []byte("GET"), []byte("/")
		decision, resp := check.CheckAccess(r)
		return decision, statusOf(resp)
	}
	plain, digest := NewPasswords(&staff, false), newDigest(t, digestFile)
	right, wrong := digestCredentials(digest, "3d78807defe7de2157e2b0b6573a855f"), digestCredentials(digest, "00000000")
	for range maxFailures {
		for _, q := range []struct {
			check         AccessCheck
			authorization string
			want          AccessDecision
		}{
			{plain, basic("jane:wrong"), AccessRefused}, {plain, basic("jane:secret"), AccessGranted},
			{digest, wrong, AccessRefused}, {digest, right, AccessGranted},
		} {
			d, status := describe(q.check, q.authorization)
			if d != q.want || d == AccessRefused && status != 401 {
				t.Fatalf("%s: decision %d, status %d", q.authorization, d, status)
			}
		}
	}
	if len(c.failures)+len(c.verified)+len(c.nonces.recent) != 0 {
		t.Errorf("remembered: %v, %v, %v", c.failures, c.verified, c.nonces.recent)
	}
}

// digestCredentials returns credentials for GET / of a user with that hash.
func digestCredentials(f *DigestAuth, hash string) string {
	n := newNonce(&[32]byte{1}, f.fingerprint, time.Now())
	nonce := n.text()
	var p digestParams
	response := p.hash(hash, nonce, "00000001", "c", "auth", p.hash("GET", "/"))
	return fmt.Sprintf(`Digest username="Mufasa", realm="%s", uri="/", nonce="%s", nc=00000001, cnonce="c", qop=auth, response="%s"`,
		f.realm, nonce, response)
}
