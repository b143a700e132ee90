package explain

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// explainToken adds the content of the token to the report.
func (e *explanation) explainToken() {
	e.report.Token = &TokenReport{}
	var token affinity.Token
	ring := e.engine.Keys.Load()
	if ring == nil || !ring.Open(new(affinity.ConnState), []byte(e.request.Token), &token) {
		return
	}
	out := e.report.Token
	out.Valid, out.Started, out.Renewed = true, time.Unix(token.Started, 0).UTC(), time.Unix(token.Renewed, 0).UTC()
	seen := map[model.PoolID]bool{}
	for i := range e.model.Routes {
		for j := range e.model.Routes[i].Backends {
			b := &e.model.Routes[i].Backends[j]
			if b.Affinity == nil || model.ScopeOf(b.Affinity.Scope) != token.Scope || seen[b.Pool] {
				continue
			}
			seen[b.Pool] = true
			e.addTokenBackend(b, &token)
		}
	}
}

// addTokenBackend adds a backend for which the token is valid, and its endpoint there.
func (e *explanation) addTokenBackend(b *model.Backend, token *affinity.Token) {
	pool := e.pools.Pool(b.Pool)
	out := TokenBackend{Pool: pool.Name, Affinity: b.Affinity.Source.String(), Expires: expiry(b.Affinity, token)}
	out.Expired = !out.Expires.IsZero() && !e.at.Before(out.Expires)
	e.report.Token.Backends = append(e.report.Token.Backends, out)
	set := pool.Set()
	if i, found := set.Lookup(b.Affinity.Identity, token.Endpoint); found {
		e.report.Token.Pods = append(e.report.Token.Pods, TokenPod{pool.Name, podOf(set.Endpoint(i))})
	}
}

// expiry returns when the session of a token ends, zero if it does not end by time.
func expiry(a *model.Affinity, token *affinity.Token) time.Time {
	var end time.Time
	if a.AbsoluteTimeout > 0 {
		end = time.Unix(token.Started, 0).Add(a.AbsoluteTimeout)
	}
	if a.IdleTimeout > 0 {
		if idle := time.Unix(token.Renewed, 0).Add(a.IdleTimeout); end.IsZero() || idle.Before(end) {
			end = idle
		}
	}
	return end.UTC()
}
