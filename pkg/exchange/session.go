package exchange

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// bindSession records that endpoint e responded to the session. It adds a token to the response if the policy issues one. If
// the app releases the session, there is no token and the session is not counted. There is no token either if a session was
// handed off and the app failed: the next request then has the header again.
func (s *selection) bindSession(r *request, resp *Response, e *upstream.Endpoint) {
	resp.SetCookie = resp.SetCookie[:0]
	s.findCollisions(r, resp)
	if s.backend.Policy.WatchesResponses() {
		s.watchResponse(r, resp)
	}
	if resp.Has(http1.FieldLimpetReleaseSession) {
		s.releaseSession(r, resp, e)
		return
	}
	if s.decision.RebalancedFrom >= 0 {
		from := s.set.Endpoint(s.decision.RebalancedFrom)
		from.SessionMoved()
		from.SessionDeparted(s.decision.Session, s.backend.Policy.SessionWindow())
		from.SessionReleased(s.decision.Session)
	}
	if i := s.decision.HandoffFrom; i >= 0 {
		from := s.set.Endpoint(i)
		from.SessionDeparted(s.decision.Session, s.backend.Policy.SessionWindow())
		from.SessionReleased(s.decision.Session)
		// Otherwise the app may have failed to fetch the state.
		s.decision.Issue = s.decision.Issue && resp.Status < http.StatusInternalServerError
	}
	if s.backend.Policy.BindsResponse(&s.decision) {
		s.bindResponse(r, resp, e)
	}
	s.countSession(e)
	s.countResponse(e)
	s.countRelease(resp, e)
	if s.decision.Issue {
		s.issueToken(r, resp)
	}
}

// watchResponse reports a policy that hashes a value which the app sets.
func (s *selection) watchResponse(r *request, resp *Response) {
	policy := s.backend.Policy
	for i := range resp.Fields {
		f := &resp.Fields[i]
		source, name, found := policy.SetsHashedValue(r.identity(), r.Memory, f.Name, f.Value)
		if found {
			r.Engine.mistakes.reportHashed(r.Engine, policy.Source(), source, name)
			return
		}
	}
}

// countSession records the session at e, if there is a session, and reports whether it was unknown there.
func (s *selection) countSession(e *upstream.Endpoint) (unknown bool) {
	return s.decision.Session != 0 && e.SessionServed(s.decision.Session)
}

// countResponse counts the session among the live ones of e.
func (s *selection) countResponse(e *upstream.Endpoint) {
	if s.decision.Session != 0 {
		policy := s.backend.Policy
		e.SessionResponded(s.decision.Session, policy.SessionWindow(), policy.StartsSession(&s.decision, s.isUnknown))
	}
}

// countArrival counts a request of the session at e for a policy that limits sessions.
func (s *selection) countArrival(e *upstream.Endpoint) {
	policy := s.backend.Policy
	if s.decision.Session == 0 || !policy.LimitsSessions() {
		return
	}
	end, isReturning := policy.SessionEnd(&s.decision)
	e.SessionArrived(s.decision.Session, s.decision.Now(), end, isReturning, policy.SessionLimit())
}

// countRelease ends the session at e for the limit of sessions if the response makes browsers delete their cookies, as apps do
// when a user logs out.
func (s *selection) countRelease(resp *Response, e *upstream.Endpoint) {
	policy := s.backend.Policy
	if s.decision.Session == 0 || !policy.LimitsSessions() {
		return
	}
	for i := range resp.Fields {
		if policy.EndsSession(resp.Fields[i].Name, resp.Fields[i].Value, s.decision.Now()) {
			e.SessionReleased(s.decision.Session)
			return
		}
	}
}

// bindResponse binds the values that the app sends to its client to the endpoint that sent them.
func (s *selection) bindResponse(r *request, resp *Response, e *upstream.Endpoint) {
	policy, keys, isGuest := s.backend.Policy, r.Engine.Keys.Load(), s.decision.Anonymous
	policy.Relearn(&s.decision, r.identity(), s.set, r.Memory, resp.Status)
	for i := range resp.Fields {
		f, start := &resp.Fields[i], len(resp.space)
		resp.space = policy.BindResponse(resp.space, &s.decision, f.Name, f.Value, s.set, keys, r.Memory)
		if len(resp.space) > start {
			f.Value = resp.space[start:]
		}
	}
	if isGuest && !s.decision.Anonymous {
		e.RemoveAnonymous()
	}
}

// issueToken adds the session's token to the response, as a cookie or in the header of the policy.
func (s *selection) issueToken(r *request, resp *Response) {
	policy := s.backend.Policy
	token := policy.AppendToken(resp.SetCookie, &s.decision, s.set, r.Engine.Keys.Load(), r.Memory, r.view.Secure())
	header := policy.TokenHeader(&s.decision)
	if header == nil {
		resp.SetCookie = token
		return
	}
	start := len(resp.space)
	resp.space = append(resp.space, token...)
	resp.Add(header, resp.space[start:])
}

// releaseSession unbinds the client: its next request is treated as a new client.
func (s *selection) releaseSession(r *request, resp *Response, e *upstream.Endpoint) {
	s.decision.Issue = false
	policy := s.backend.Policy
	e.SessionReleased(s.decision.Session)
	policy.Forget(r.identity(), r.Memory)
	for i := range policy.CookieNames() {
		if !policy.ExpiresCookie(i, r.identity(), r.Engine.Keys.Load()) {
			continue
		}
		start := len(resp.space)
		resp.space = policy.AppendExpiry(resp.space, i, r.view.Secure())
		resp.Add(setCookie, resp.space[start:])
	}
}

var setCookie = []byte("Set-Cookie")
