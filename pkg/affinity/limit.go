package affinity

import (
	"bytes"
	"net/http"
)

// unlimitedSession is the time in seconds for which the limit of sessions counts an idle session whose policy has no
// timeout.
const unlimitedSession = 60 * 60

// LimitsSessions reports whether the policy limits the sessions of an endpoint, so that callers must count them exactly.
func (p *Policy) LimitsSessions() bool { return p.requirements.maxSessions > 0 }

// SessionLimit returns the number of sessions of an endpoint up to which callers count. It is larger than the maximum of the
// policy, because sessions of other replicas and sessions that spill over may exceed the maximum.
func (p *Policy) SessionLimit() int64 { return 2 * p.requirements.maxSessions }

// SessionEnd returns when the session of d ends if no further request arrives, in Unix seconds. A session with
// a token ends when the token expires. isReturning reports whether the client returned a token.
func (p *Policy) SessionEnd(d *Decision) (end int64, isReturning bool) {
	t := d.Token
	if t.Session != d.Session || t.Session == 0 { // a value of the app
		t = Token{Started: d.now, Renewed: d.now}
		if d.valueStarted != 0 {
			t.Started = d.valueStarted
		}
	}
	if end = p.expiry(&t); end == 0 {
		end = d.now + unlimitedSession
	}
	return end, d.Method != none && p.hasToken(d)
}

// hasToken reports whether the client of d returned a valid token.
func (p *Policy) hasToken(d *Decision) bool {
	if d.Outcome != OutcomeHit && d.Reason != ReasonGone && d.Reason != ReasonFailed && d.Reason != ReasonRebalanced &&
		d.Reason != ReasonHandoff {
		return false
	}
	binding := p.methods[d.Method].binding
	return binding == issued && d.Token.Session == d.Session && d.Token.Started > 0 || binding == wrapped && d.valueStarted != 0
}

// Now returns the time of the decision in Unix seconds.
func (d *Decision) Now() int64 { return d.now }

// FullRefusal returns the response for OutcomeRefused with ReasonFull, like Refusal.
func (p *Policy) FullRefusal() (status int, retryAfter int64) { return p.fullStatus, p.fullRetryAfter }

var clearSiteData = []byte("Clear-Site-Data")

// EndsSession reports whether a response field deletes the value by which the client of this policy is recognized: a cookie
// of a method that is set without a value or with a lifetime that is over, or all cookies of the site.
func (p *Policy) EndsSession(name, value []byte, now int64) bool {
	if bytes.EqualFold(name, clearSiteData) {
		return bytes.Contains(value, []byte(`"cookies"`)) || bytes.Contains(value, []byte(`"*"`))
	}
	if !bytes.EqualFold(name, setCookieName) {
		return false
	}
	pair, attributes := cutPair(value)
	for i := range p.methods {
		m := &p.methods[i]
		if m.source != sourceCookie {
			continue
		}
		if v, ok := cookieValue(pair, m.name); ok && (len(v) == 0 || isOver(attributes, now)) {
			return true
		}
	}
	return false
}

// isOver reports whether the attributes of a cookie make browsers delete it. Max-Age takes precedence over Expires (RFC 6265,
// section 5.3).
func isOver(attributes []byte, now int64) bool {
	isExpired := false
	for len(attributes) > 0 {
		var attribute []byte
		attribute, attributes = cutPair(attributes)
		name, value, _ := bytes.Cut(attribute, []byte("="))
		name, value = trimSpace(name), trimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Max-Age")):
			return len(value) > 0 && (value[0] == '-' || len(bytes.Trim(value, "0")) == 0)
		case bytes.EqualFold(name, []byte("Expires")):
			end, err := http.ParseTime(string(value))
			isExpired = err == nil && end.Unix() <= now
		}
	}
	return isExpired
}
