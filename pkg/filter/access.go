package filter

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// AccessDecision is the decision of an AccessCheck about a request.
type AccessDecision uint8

const (
	// AccessUndecided neither admits nor refuses the request. Other checks decide.
	AccessUndecided AccessDecision = iota
	// AccessGranted admits the request.
	AccessGranted
	// AccessRefused refuses the request, unless any of the checks suffices and another one admits it.
	AccessRefused
	// AccessFailed refuses the request because the check cannot be made. No other check admits the request.
	AccessFailed
)

// AccessCheck is one of the checks that Access combines. Like a RequestFilter, it may block if it bounds the wait.
type AccessCheck interface {
	// CheckAccess returns the decision about r, and the response to send if the request is refused. The response is nil for
	// AccessUndecided and AccessGranted.
	CheckAccess(r *Request) (AccessDecision, *Response)
}

// Access restricts the requests of a route by one or several checks. They run in order.
//
// If all checks must pass, the first one that refuses the request decides. If any check suffices, the first one that admits
// the request decides. If none does, a response with status 401 takes precedence over others, so that browsers request
// credentials. This follows the satisfy directive of nginx.
//
// If one of the checks uses the Authorization field, pods do not receive the field, as in ingress-nginx.
type Access struct {
	checks                 []AccessCheck
	satisfiesAny           bool
	withholdsAuthorization bool
}

// credentialCheck is an AccessCheck that uses the Authorization field.
type credentialCheck interface {
	AccessCheck
	withholdsAuthorization()
}

// NewAccess returns a filter for a route with these checks, or nil if all checks are nil.
func NewAccess(satisfiesAny bool, checks ...AccessCheck) Filter {
	f := &Access{satisfiesAny: satisfiesAny}
	for _, check := range checks {
		if check != nil {
			f.checks = append(f.checks, check)
			_, usesField := check.(credentialCheck)
			f.withholdsAuthorization = f.withholdsAuthorization || usesField
		}
	}
	if len(f.checks) == 0 {
		return nil
	}
	return f
}

// Name implements Filter.
func (*Access) Name() string { return "access" }

// Protects implements Protector.
func (*Access) Protects() bool { return true }

// FilterRequest implements RequestFilter.
func (f *Access) FilterRequest(r *Request) *Response {
	if resp := f.check(r); resp != nil {
		return resp
	}
	if f.withholdsAuthorization {
		r.Head.WithholdAll(http1.FieldAuthorization)
	}
	return nil
}

// check returns the response to a request that is refused, or nil.
func (f *Access) check(r *Request) *Response {
	var refusal *Response
	for _, check := range f.checks {
		decision, resp := check.CheckAccess(r)
		switch decision {
		case AccessGranted:
			if f.satisfiesAny {
				return nil
			}
		case AccessRefused:
			if !f.satisfiesAny {
				return resp
			}
			if refusal == nil || refusal.Status != http.StatusUnauthorized {
				refusal = resp
			}
		case AccessFailed:
			return resp
		}
	}
	return refusal
}

var _ Protector = (*Access)(nil)

// IsAnySatisfying reports whether any check of a route suffices. m may be nil.
func IsAnySatisfying(m *model.Filters) bool {
	return m != nil && m.Access != nil && m.Access.SatisfiesAny
}
