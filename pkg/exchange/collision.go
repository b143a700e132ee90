package exchange

import "github.com/limpet-dev/limpet/pkg/http1"

// findCollisions looks for cookies and headers of the app that have the name under which the policy issues tokens. They are
// forwarded, and the token moves to another name.
func (s *selection) findCollisions(r *request, resp *Response) {
	policy := s.backend.Policy
	if !policy.IssuesTokens() {
		return
	}
	if policy.IssuesHeaders() {
		s.findCollisionsIn(r, resp.Fields)
		return
	}
	for _, i := range resp.Cookies {
		s.findCollisionsIn(r, resp.Fields[i:i+1])
	}
}

func (s *selection) findCollisionsIn(r *request, fields []http1.Field) {
	policy := s.backend.Policy
	for i := range fields {
		c, found := policy.FindCollision(&s.decision, fields[i].Name, fields[i].Value)
		if found && c.IsFirst {
			r.Engine.mistakes.reportName(r.Engine, policy.Source(), &c)
		}
	}
}

// responseTrailers returns the trailers of the pod's response. Clients may merge them into the header, so those with the name
// of the policy's header move the tokens of later responses.
func (x *Exchange) responseTrailers(trailers []http1.Field) []http1.Field {
	if x.backend.Policy.IssuesHeaders() {
		x.findCollisionsIn(&x.request, trailers)
	}
	return trailers
}
