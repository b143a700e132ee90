package exchange

import (
	"bytes"
	"slices"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// holdSession remembers that the endpoint has answered the session, and gives the client a token if it must be told
// where it belongs. An app that releases the session gets neither.
func (x *Exchange) holdSession() {
	x.endpoint.Accepted()
	x.cookie = x.cookie[:0]
	x.withholdCookies()
	if x.resp.Has(http1.FieldLimpetReleaseSession) {
		x.releaseSession()
		return
	}
	if x.decision.From >= 0 {
		x.set.Endpoint(x.decision.From).Left()
	}
	if x.backend.Policy.WatchesAnswers(&x.decision) {
		x.bindAnswer()
	}
	x.countSession(x.endpoint)
	if x.decision.Issue {
		x.issueToken()
	}
}

// withholdCookies keeps an app from setting a cookie of Limpet's name, which clients would mix up with Limpet's. Browsers
// send a cookie without a name by its value, which may pass for one with a name.
func (x *Exchange) withholdCookies() {
	for _, i := range x.resp.Cookies {
		name, _, _ := bytes.Cut(bytes.TrimLeft(x.resp.Fields[i].Value, "= \t"), equals)
		name = bytes.TrimRight(name, " \t")
		if slices.ContainsFunc(x.backend.Policy.CookieNames(), func(own string) bool { return own == string(name) }) {
			x.resp.Withhold(i)
		}
	}
}

var equals = []byte("=")

// countSession lets the endpoint know the session, if there is one.
func (x *Exchange) countSession(e *upstream.Endpoint) {
	if x.decision.Session != 0 {
		e.Served(x.decision.Session)
	}
}

// bindAnswer binds the values that the app gives its client to the endpoint they come from.
func (x *Exchange) bindAnswer() {
	policy, keys, isGuest := x.backend.Policy, x.Engine.Keys.Load(), x.decision.Guest
	policy.Relearn(&x.decision, x.identity(), x.set, x.Memory)
	for i := range x.resp.Fields {
		f, start := &x.resp.Fields[i], len(x.edited)
		x.edited = policy.BindAnswer(x.edited, &x.decision, f.Name, f.Value, x.set, keys, x.Memory)
		if len(x.edited) > start {
			f.Value = x.edited[start:]
		}
	}
	if isGuest && !x.decision.Guest {
		x.endpoint.Known()
	}
}

func (x *Exchange) issueToken() {
	policy := x.backend.Policy
	token := policy.AppendToken(x.cookie, &x.decision, x.set, x.Engine.Keys.Load(), x.Memory, x.TLS != nil)
	header := policy.TokenHeader(&x.decision)
	if header == nil {
		x.cookie = token
		return
	}
	start := len(x.edited)
	x.edited = append(x.edited, token...)
	x.resp.Add(header, x.edited[start:])
}

// releaseSession makes the client forget what binds it: its next request is that of a new client.
func (x *Exchange) releaseSession() {
	x.decision.Issue = false
	policy := x.backend.Policy
	policy.Forget(x.identity(), x.Memory)
	for i := range policy.CookieNames() {
		start := len(x.edited)
		x.edited = policy.AppendExpiry(x.edited, i, x.TLS != nil)
		x.resp.Add(setCookie, x.edited[start:])
	}
}

var setCookie = []byte("Set-Cookie")
