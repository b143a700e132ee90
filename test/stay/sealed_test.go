package stay

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// Each step is a restart with another file of keys, as an operator would roll it out.
func TestKeyRotation_keepsSessions(t *testing.T) {
	f := newFixture(t, 6, nil)
	before := newSessions(t, byCookie, 0, clients)
	settle(t, f.limpet, before)
	f.restart(t, keyFile(t, keyA, keyB))
	expectNoneMoves(t, f.limpet, before, 1)
	f.restart(t, keyFile(t, keyB, keyA))
	after := newSessions(t, byCookie, clients, clients)
	settle(t, f.limpet, after)
	each(t, before, func(s *session) error {
		a, err := s.mustGet(f.limpet, "/")
		if err == nil && (a.pod != s.pod || a.values() != 1) {
			err = fmt.Errorf("%s: was on %s, is now on %s with %d tokens, want one by the new key", s, s.pod, a.pod, a.values())
		}
		return err
	})
	f.restart(t, keyFile(t, keyB))
	expectNoneMoves(t, f.limpet, append(before, after...), 2)
}

func TestToken_otherBackendIsAbsent(t *testing.T) {
	f := newFixture(t, 6, map[backend]v1alpha1.AffinityPolicySpec{"other": policyOf(methods[byCookie])})
	own := newSessions(t, byCookie, 0, clients)
	settle(t, f.limpet, own)
	stranger := newSessions(t, "other", 0, 1)
	settle(t, f.limpet, stranger)
	name := stranger[0].cookie().Name
	for what, spoil := range map[string]func(token string, i int) string{
		"of another backend": func(token string, _ int) string { return token },
		"with one bit changed": func(token string, i int) string {
			raw, _ := base64.RawURLEncoding.DecodeString(token)
			raw[i%len(raw)] ^= 1 << rand.IntN(8)
			return base64.RawURLEncoding.EncodeToString(raw)
		},
		"cut short":          func(token string, i int) string { return token[:i%len(token)] },
		"by a key of theirs": func(token string, _ int) string { return reseal(t, token, keyB, nil) },
		"made up":            func(string, int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(75)) },
	} {
		t.Run(what, func(t *testing.T) {
			to, cookie := backend("other"), name
			if what != "of another backend" {
				to, cookie = byCookie, own[0].cookie().Name
			}
			forgers := newSessions(t, to, clients, clients)
			for i, s := range forgers {
				s.setCookie(cookie, spoil(own[i].cookie().Value, i))
			}
			settle(t, f.limpet, forgers)
			expectNoneMoves(t, f.limpet, forgers, 1)
		})
	}
	expectNoneMoves(t, f.limpet, own, 1)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// The clients keep what they are given for ever. Time passes by tokens being sealed as if they had been given long ago.
func TestLifetimes_enforced(t *testing.T) {
	timed := policyOf(methods[byCookie])
	timed.AbsoluteTimeout, timed.IdleTimeout = new(v1alpha1.Duration), new(v1alpha1.Duration)
	*timed.AbsoluteTimeout, *timed.IdleTimeout = "12h", "30m"
	f := newFixture(t, 6, map[backend]v1alpha1.AffinityPolicySpec{"timed": timed})
	for _, c := range []struct {
		name            string
		bound, renewed  time.Duration // ago
		tokens          int           // in the response
		ends, keepsTime bool
	}{
		{name: "fresh", bound: time.Minute, renewed: time.Minute},
		{name: "idle for less than half of the time", bound: time.Hour, renewed: 14 * time.Minute},
		{name: "idle for more than half of it", bound: time.Hour, renewed: 16 * time.Minute, tokens: 1},
		{name: "idle for too long", bound: time.Hour, renewed: 31 * time.Minute, tokens: 1, ends: true},
		{name: "busy until its end", bound: 12*time.Hour - time.Minute, renewed: time.Minute},
		{name: "busy after its end", bound: 12*time.Hour + time.Second, renewed: time.Second, tokens: 1, ends: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			sessions := newSessions(t, "timed", 0, clients)
			settle(t, f.limpet, sessions)
			each(t, sessions, func(s *session) error {
				now := time.Now()
				s.age(t, now.Add(-c.bound), now.Add(-c.renewed))
				return s.expectLifetime(t, f.limpet, c.tokens, c.ends)
			})
		})
	}
}

// expectLifetime sends a request with a token that may be over, and looks at the token that the client then has.
func (s *session) expectLifetime(t *testing.T, l *limpet, tokens int, ends bool) error {
	before := opened(t, s.cookie().Value)
	a, err := s.mustGet(l, "/")
	if err != nil {
		return err
	}
	after := opened(t, s.cookie().Value)
	if a.values() != tokens {
		return fmt.Errorf("%s: given %d tokens, want %d", s, a.values(), tokens)
	}
	if isNew := after.Session != before.Session && after.Started > before.Started; isNew != ends {
		return fmt.Errorf("%s: had %+v, has %+v", s, before, after)
	}
	if !ends && a.pod != s.pod {
		return fmt.Errorf("%s: moved from %s to %s before its end", s, s.pod, a.pod)
	}
	if tokens > 0 && time.Since(time.Unix(after.Renewed, 0)) > time.Minute {
		return fmt.Errorf("%s: renewed, but has %+v", s, after)
	}
	s.pod = a.pod
	return s.stays(l, "/", 1)
}

// age makes the session's token one that was given and last renewed at other times.
func (s *session) age(t *testing.T, bound, renewed time.Time) {
	cookie := s.cookie()
	s.setCookie(cookie.Name, reseal(t, cookie.Value, keyA, func(token *affinity.Token) {
		token.Started, token.Renewed = bound.Unix(), renewed.Unix()
	}))
}

// reseal changes a token that is sealed with keyA, and seals it with another key.
func reseal(t *testing.T, text, key string, change func(*affinity.Token)) string {
	token := opened(t, text)
	if change != nil {
		change(&token)
	}
	return string(ring(t, key).Seal(&affinity.ConnState{}, nil, &token))
}

// opened is what keyA opens.
func opened(t *testing.T, text string) affinity.Token {
	var token affinity.Token
	if !ring(t, keyA).Open(&affinity.ConnState{}, []byte(text), &token) {
		t.Errorf("%s does not open", text)
	}
	return token
}

func ring(t *testing.T, key string) *affinity.Keyring {
	keys, err := affinity.ParseKeys([]byte(key + "\n"))
	if err != nil {
		t.Error(err)
	}
	r, err := affinity.NewKeyring(keys)
	if err != nil {
		t.Error(err)
	}
	return r
}
