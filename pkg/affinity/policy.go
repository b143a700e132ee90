package affinity

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Policy is a compiled model.Affinity. It is immutable and safe for concurrent use.
type Policy struct {
	methods      []method
	cookies      []string
	scope        uint64
	absolute     int64 // seconds, 0: never
	idle         int64 // seconds, 0: never
	newSession   model.Pick
	identity     model.Identity
	keepDraining bool
	strict       bool  // a session is refused rather than moved
	status       int   // of a refusal
	retryAfter   int64 // seconds, 0: none
}

// binding is how what a method found leads to an endpoint.
type binding uint8

const (
	issued binding = iota + 1
	hashed
)

// method is one compiled cell of source x binding.
type method struct {
	source       source
	binding      binding
	name         string // of the cookie or header
	bits4, bits6 int    // of an address
	cookie       setCookie
}

// cells are the pairs of source and binding that there are.
var cells = map[[2]string]method{
	{string(model.SourceCookie), string(model.BindingIssued)}:   {source: fromCookie, binding: issued},
	{string(model.SourceHeader), string(model.BindingHashed)}:   {source: fromHeader, binding: hashed},
	{string(model.SourceSourceIP), string(model.BindingHashed)}: {source: fromAddress, binding: hashed},
}

// Compile makes a Policy of what translate has found valid; a method with a source or binding that is not built here
// recognises nobody. No affinity at all compiles to a policy without methods: every request goes to the less busy of
// two endpoints, with outcome OutcomeNone.
func Compile(a *model.Affinity) *Policy {
	if a == nil {
		return &Policy{newSession: model.PickRandom}
	}
	p := &Policy{
		scope:        model.ScopeOf(a.Scope),
		absolute:     wholeSeconds(a.AbsoluteTimeout),
		idle:         wholeSeconds(a.IdleTimeout),
		newSession:   a.Pick,
		identity:     a.Identity,
		keepDraining: a.KeepDraining,
		strict:       a.Unavailable.Action == model.UnavailableFail,
		status:       a.Unavailable.Status,
		retryAfter:   wholeSeconds(a.Unavailable.RetryAfter),
	}
	for i := range a.Methods {
		p.add(&a.Methods[i])
	}
	return p
}

func (p *Policy) add(from *model.Method) {
	m, ok := cells[[2]string{string(from.Source), string(from.Binding)}]
	if !ok {
		return
	}
	switch m.source {
	case fromCookie:
		m.name = from.Cookie.Name
		m.cookie = compileCookie(from.Cookie)
		p.cookies = append(p.cookies, m.name)
	case fromHeader:
		m.name = from.Header.Name
	case fromAddress:
		m.bits4, m.bits6 = from.SourceIP.IPv4PrefixLength, from.SourceIP.IPv6PrefixLength
	}
	p.methods = append(p.methods, m)
}

// CookieNames are the cookies that Limpet issues, which the app is not to see. It is read only.
func (p *Policy) CookieNames() []string { return p.cookies }

// Refusal is the answer to a request with OutcomeRefused: a status, and the seconds for Retry-After, 0 for none.
func (p *Policy) Refusal() (status int, retryAfter int64) { return p.status, p.retryAfter }

// wholeSeconds rounds up, so that a short timeout does not turn into none.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}
