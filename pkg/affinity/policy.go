package affinity

import (
	"cmp"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Policy is a compiled model.Affinity. It is immutable and safe for concurrent use.
type Policy struct {
	methods         []method
	tokenCookies    []string // with tokens
	wrappedCookies  []string // cookies of the app, with tokens on their values
	bindsResponses  bool     // values that the app gives its clients, to bind them
	namesPods       bool     // some of those name pods
	scope           uint64
	absoluteTimeout int64 // seconds, 0: never
	idleTimeout     int64 // seconds, 0: never
	newSession      model.Pick
	identity        model.Identity
	requirements    requirements // of a new session
	isUnconstrained bool         // nothing is asked of an endpoint
	balanceFactor   int64        // percent of the mean in flight, above which a hashed session goes elsewhere; 0: none
	budget          budget
	keepDraining    bool
	drainTimeout    int64         // seconds, 0: as long as it serves
	failUnavailable bool          // a session is refused rather than moved
	refusalStatus   int           // of a refusal
	retryAfter      int64         // seconds, 0: none
	unavailableWait time.Duration // for an endpoint that is gone, 0: not
	rebalance       rebalance
	adoption        *adoption
	stickySplit     bool // a session keeps its side of a weighted split
	exemption       *exemption
	movedHeader     []byte          // header that tells the app of a move
	requestHeaders  []requestHeader // that the app does not get as they came
}

// binding is how what a method found leads to an endpoint.
type binding uint8

const (
	issued binding = iota + 1
	hashed
	learned
	wrapped
	named
)

// method is one compiled cell of source x binding.
type method struct {
	source       valueSource
	binding      binding
	name         string // of the cookie, header or parameter
	index        int    // of the path segment
	bits4, bits6 int    // of an address
	cookie       setCookie
	header       []byte         // name, as the wire has it
	separator    []byte         // before the name of a pod
	identity     model.Identity // what that name is
}

var (
	sources = map[model.Source]valueSource{
		model.SourceCookie: sourceCookie, model.SourceHeader: sourceHeader, model.SourceQueryParam: sourceQuery,
		model.SourcePathSegment: sourcePath, model.SourceSourceIP: sourceAddress,
	}
	bindings = map[model.Binding]binding{
		model.BindingIssued: issued, model.BindingHashed: hashed, model.BindingLearned: learned,
		model.BindingWrapped: wrapped, model.BindingNamed: named,
	}
)

// Compile makes a Policy of what translate has found valid; a method with a source or binding that is not built here
// recognises nobody. No affinity at all compiles to a policy without methods: every request goes to the less busy of
// two endpoints, with outcome OutcomeNone.
func Compile(a *model.Affinity) *Policy {
	if a == nil {
		return &Policy{newSession: model.PickRandom}
	}
	p := &Policy{
		scope:           model.ScopeOf(a.Scope),
		absoluteTimeout: wholeSeconds(a.AbsoluteTimeout),
		idleTimeout:     wholeSeconds(a.IdleTimeout),
		newSession:      a.Pick,
		identity:        a.Identity,
		requirements: requirements{
			preferZone:     a.PreferZone,
			slowStart:      wholeSeconds(a.SlowStart),
			maxSessions:    int64(a.MaxSessions),
			refuseWhenFull: a.MaxSessions > 0 && a.RefuseWhenFull,
		},
		balanceFactor:   int64(a.BalanceFactor),
		budget:          budget{int64(a.StickyBudget.BalanceFactor), int64(a.StickyBudget.MinRequests)},
		keepDraining:    a.KeepDraining,
		drainTimeout:    wholeSeconds(a.DrainTimeout),
		failUnavailable: a.Unavailable.Action == model.UnavailableFail,
		refusalStatus:   a.Unavailable.Status,
		retryAfter:      wholeSeconds(a.Unavailable.RetryAfter),
		rebalance:       rebalance{wholeSeconds(a.Rebalance.AfterIdle), int64(a.Rebalance.MaxPerMinute)},
		adoption:        compileAdoption(a),
		stickySplit:     a.StickySplit,
		exemption:       compileExemption(a.Exempt),
	}
	if a.Unavailable.Action == model.UnavailableWait {
		p.unavailableWait = a.Unavailable.Wait
	}
	for i := range a.Methods {
		p.add(&a.Methods[i])
	}
	p.compileHeaders(a)
	p.isUnconstrained = p.requirements == requirements{} && p.balanceFactor == 0
	return p
}

func (p *Policy) add(from *model.Method) {
	m := method{
		source: sources[from.Source], binding: bindings[from.Binding],
		separator: []byte(from.Separator), identity: cmp.Or(from.By, model.IdentityPodName),
	}
	if m.source == 0 || m.binding == 0 {
		return
	}
	switch m.source {
	case sourceCookie:
		m.name = from.Cookie.Name
		m.cookie = compileCookie(from.Cookie)
	case sourceHeader:
		m.name, m.header = from.Header.Name, []byte(from.Header.Name)
	case sourceQuery:
		m.name = from.QueryParam.Name
	case sourcePath:
		m.index = from.PathSegment.Index
	case sourceAddress:
		m.bits4, m.bits6 = from.SourceIP.IPv4PrefixLength, from.SourceIP.IPv6PrefixLength
	}
	switch {
	case m.source == sourceCookie && m.binding == issued:
		p.tokenCookies = append(p.tokenCookies, m.name)
	case m.source == sourceCookie && m.binding == wrapped:
		p.wrappedCookies = append(p.wrappedCookies, m.name)
	}
	p.bindsResponses = p.bindsResponses || m.binding == learned || m.binding == wrapped
	p.namesPods = p.namesPods || m.binding == named
	p.methods = append(p.methods, m)
}

// CookieNames are the cookies that Limpet issues, which the app is not to see. It is read only.
func (p *Policy) CookieNames() []string { return p.tokenCookies }

// WrappedCookies are the cookies of the app that come back with a token on them. It is read only.
func (p *Policy) WrappedCookies() []string { return p.wrappedCookies }

// Refusal is the answer to a request with OutcomeRefused: a status, and the seconds for Retry-After, 0 for none.
func (p *Policy) Refusal() (status int, retryAfter int64) { return p.refusalStatus, p.retryAfter }

// wholeSeconds rounds up, so that a short timeout does not turn into none.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}
