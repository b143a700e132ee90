package affinity

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestSessionEnd(t *testing.T) {
	const minute = 60
	for name, c := range map[string]struct {
		absolute, idle time.Duration
		token          Token
		want           int64
	}{
		"no timeout": {token: Token{Session: 7, Started: testNow, Renewed: testNow}, want: testNow + 60*minute},
		"idle":       {idle: 10 * time.Minute, token: Token{Session: 7, Started: testNow - 900, Renewed: testNow - 60}, want: testNow + 9*minute},
		"absolute": {
			absolute: time.Hour, idle: 30 * time.Minute,
			token: Token{Session: 7, Started: testNow - 59*minute, Renewed: testNow}, want: testNow + minute,
		},
		"value of the app": {idle: 10 * time.Minute, want: testNow + 10*minute},
	} {
		a := affinityOf(cookieMethod)
		a.AbsoluteTimeout, a.IdleTimeout = c.absolute, c.idle
		end, isReturning := Compile(a).SessionEnd(&Decision{now: testNow, Session: 7, Token: c.token, Method: 0, Outcome: OutcomeHit})
		if end != c.want || isReturning != (c.token.Session == 7) {
			t.Errorf("%s: the session ends at %d, returning: %v; want %d", name, end-testNow, isReturning, c.want-testNow)
		}
	}
}

func TestEndsSession(t *testing.T) {
	p := Compile(affinityOf(model.Method{
		Source: model.SourceCookie, Binding: model.BindingLearned, Cookie: &model.Cookie{Name: "SID"},
	}))
	for field, want := range map[string]bool{
		"SID=; Path=/":     true,
		"SID=x; Max-Age=0": true,
		"SID=x; max-age=-1; Expires=Fri, 01 Jan 2038 00:00:00 GMT": true,
		"SID=x; expires=Thu, 01 Jan 1970 00:00:00 GMT":             true,
		"SID=x; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT": false,
		"SID=x":                  false,
		"other=; Max-Age=0":      false,
		"SID=x; Expires=garbage": false,
	} {
		if got := p.EndsSession([]byte("set-cookie"), []byte(field), testNow); got != want {
			t.Errorf("%s ends the session: %v, want %v", field, got, want)
		}
	}
	for value, want := range map[string]bool{`"cookies"`: true, `"cache", "*"`: true, `"cache"`: false} {
		if got := p.EndsSession([]byte("clear-site-data"), []byte(value), testNow); got != want {
			t.Errorf("Clear-Site-Data %s ends the session: %v, want %v", value, got, want)
		}
	}
}
