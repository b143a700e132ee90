package affinity

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Policy is a compiled model.Affinity. Its settings are immutable, and it is safe for concurrent use.
type Policy struct {
	// How clients are recognized, and which fields of a message that concerns.
	methods        []method
	exemption      *exemption      // nil exempts no request
	adoption       *adoption       // nil adopts no cookie
	nginx          *nginxCookie    // nil writes nothing for ingress-nginx
	tokenCookies   []string        // cookies that contain a token
	wrappedCookies []string        // cookies of the app with an appended token
	requestHeaders []requestHeader // headers to drop or edit before forwarding
	movedHeader    []byte          // request header that reports a move to the app, or nil
	binders        []method        // what to look for in responses: values to wrap, to learn, or that name a pod
	bindsResponses bool            // some method binds values that the app sets
	namesPods      bool            // some method reads pod names in values of the app
	issues         bool            // some method issues tokens
	issuesHeaders  bool            // some method issues tokens in a header
	// compatibleSameSite omits SameSite=None for browsers that discard such cookies.
	compatibleSameSite bool

	// Whether responses show that the policy is likely a mistake.
	source       model.Ref
	watched      []method    // hashed methods whose value the app may set
	mistakeFound atomic.Bool // the app sets the value of a watched method

	// Contents and lifetime of tokens.
	scope           uint64
	quota           uint64 // identifies the policy whose share of the Store learned sessions use
	identity        model.Identity
	absoluteTimeout int64 // seconds; zero disables it
	idleTimeout     int64 // seconds; zero disables it
	sessionWindow   int64 // seconds; see SessionWindow

	// Placement of new and hashed sessions.
	newSession      model.Pick
	requirements    requirements
	isUnconstrained bool  // no requirements and no balance factor
	balanceFactor   int64 // bound for hashed sessions, in percent of the mean active requests; zero disables it
	stickySplit     bool  // a session keeps its backend in a weighted split

	// Existing sessions whose endpoint is busy, idle, draining or gone.
	budget          budget
	rebalance       rebalance
	handoff         *handoff // nil disables handoffs
	keepDraining    bool
	drainTimeout    int64         // seconds; zero means until the endpoint is removed
	unavailableWait time.Duration // time to wait for a missing endpoint; zero disables it
	lendsNotReady   bool          // another endpoint serves a session while its own is not ready
	notReadyWait    time.Duration // time to wait for an endpoint that is not ready; zero disables it
	failUnavailable bool          // refuse a session whose endpoint is gone, instead of moving it
	keepsFailed     bool          // fail a request whose endpoint cannot be reached, instead of moving its session
	refusalStatus   int           // status code of a refusal
	retryAfter      int64         // seconds; zero omits Retry-After
	fullStatus      int           // status code of a refusal because every endpoint is full
	fullRetryAfter  int64         // like retryAfter
}

// binding is the way in which the value of a method identifies an endpoint.
type binding uint8

const (
	issued binding = iota + 1
	hashed
	learned
	wrapped
	named
)

// method is one compiled combination of source and binding.
type method struct {
	source       valueSource
	binding      binding
	name         string        // of the cookie, header or parameter
	generated    generatedName // where tokens move if the app uses name; only for binding issued
	index        int           // of the path segment
	bits4, bits6 int           // prefix lengths for IPv4 and IPv6 addresses
	cookie       setCookie
	header       []byte         // header name, as sent in responses
	parts        []part         // of a composite
	anyPart      bool           // missing parts count as empty, unless all are missing
	separator    []byte         // precedes the name of the pod
	identity     model.Identity // kind of the name
}

var (
	sources = map[model.Source]valueSource{
		model.SourceCookie: sourceCookie, model.SourceHeader: sourceHeader, model.SourceQueryParam: sourceQuery,
		model.SourcePathSegment: sourcePath, model.SourceSourceIP: sourceAddress,
		model.SourceComposite: sourceComposite,
	}
	bindings = map[model.Binding]binding{
		model.BindingIssued: issued, model.BindingHashed: hashed, model.BindingLearned: learned,
		model.BindingWrapped: wrapped, model.BindingNamed: named,
	}
)

// withoutMethods is the Policy of all backends without an Affinity and a pick.
var withoutMethods = &Policy{newSession: model.PickRandom}

// Compile returns the Policy for an Affinity that translate has validated. A method with an unsupported source or
// binding is ignored.
//
// A nil Affinity compiles to a Policy without methods. Every request then uses the less busy of two random endpoints,
// with OutcomeNone.
func Compile(a *model.Affinity) *Policy { return (*UsedNames)(nil).Compile(a) }

// Balance returns a Policy without methods, which distributes requests by pick. An empty pick means model.PickRandom.
// reserved are request headers that clients must not set, see model.Backend.
func Balance(pick model.Pick, reserved ...string) *Policy {
	pick = cmp.Or(pick, model.PickRandom)
	if pick == model.PickRandom && len(reserved) == 0 {
		return withoutMethods
	}
	p := &Policy{newSession: pick}
	p.reserveHeaders(reserved)
	return p
}

// Compile is like the function Compile, but the Policy shares the record u, which may be nil. The reserved headers are the ones
// of Balance.
func (u *UsedNames) Compile(a *model.Affinity, reserved ...string) *Policy {
	if a == nil {
		return Balance("", reserved...)
	}
	p := &Policy{
		scope:           model.ScopeOf(a.Scope),
		quota:           model.ScopeOf(a.Source.String()),
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
		keepsFailed:     a.KeepFailed,
		failUnavailable: a.Unavailable.Action == model.UnavailableFail,
		refusalStatus:   a.Unavailable.Status,
		retryAfter:      wholeSeconds(a.Unavailable.RetryAfter),
		rebalance:       rebalance{wholeSeconds(a.Rebalance.AfterIdle), int64(a.Rebalance.MaxPerMinute)},
		handoff:         compileHandoff(a.Handoff),
		adoption:        compileAdoption(a),
		nginx:           compileNginxCookie(a),
		stickySplit:     a.StickySplit,
		exemption:       compileExemption(a.Exempt),
	}
	p.sessionWindow = p.liveWindow()
	p.fullStatus, p.fullRetryAfter = p.refusalStatus, p.retryAfter
	if a.Refuse.Status != 0 {
		p.fullStatus, p.fullRetryAfter = a.Refuse.Status, wholeSeconds(a.Refuse.RetryAfter)
	}
	if a.Unavailable.Action == model.UnavailableWait {
		p.unavailableWait = a.Unavailable.Wait
	}
	switch a.Unavailable.NotReady {
	case model.NotReadyLend:
		p.lendsNotReady = true
	case model.NotReadyWait:
		p.notReadyWait = a.Unavailable.Wait
	}
	for i := range a.Methods {
		p.add(&a.Methods[i], a, u)
	}
	p.compileBinders(a)
	p.compileWatched(a.Source)
	p.compileHeaders(a)
	p.reserveHeaders(reserved)
	p.isUnconstrained = p.requirements == requirements{} && p.balanceFactor == 0
	return p
}

func (p *Policy) add(from *model.Method, a *model.Affinity, names *UsedNames) {
	m := method{
		source: sources[from.Source], binding: bindings[from.Binding],
		separator: []byte(from.Separator), identity: cmp.Or(from.By, model.IdentityPodName),
	}
	if m.source == 0 || m.binding == 0 {
		return
	}
	m.compilePlace(from)
	if m.binding == issued {
		m.compileGenerated(from, a, names)
		p.issues = true
		p.issuesHeaders = p.issuesHeaders || m.source == sourceHeader
	}
	switch {
	case m.source == sourceCookie && m.binding == issued:
		p.addTokenCookies(m.name, m.generated.name)
		p.compatibleSameSite = p.compatibleSameSite || from.Cookie.CompatibleSameSite
	case m.source == sourceCookie && m.binding == wrapped:
		p.wrappedCookies = append(p.wrappedCookies, m.name)
	}
	p.bindsResponses = p.bindsResponses || m.binding == learned || m.binding == wrapped
	p.namesPods = p.namesPods || m.binding == named
	p.methods = append(p.methods, m)
}

// compilePlace sets where the method looks in a request.
func (m *method) compilePlace(from *model.Method) {
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
	case sourceComposite:
		m.parts, m.anyPart = compileParts(from.Parts), from.AnyPart
	}
}

// CookieNames returns the names of the cookies in which Limpet may issue tokens: those of the policy, and the generated ones
// to which tokens move. The app must not receive the tokens. Callers must not modify the slice.
func (p *Policy) CookieNames() []string { return p.tokenCookies }

// WrappedCookies returns the names of the app's cookies that clients return with a token. Callers must not modify the
// slice.
func (p *Policy) WrappedCookies() []string { return p.wrappedCookies }

// Refusal returns the response for OutcomeRefused: the status code, and the seconds for Retry-After, zero to omit it.
func (p *Policy) Refusal() (status int, retryAfter int64) { return p.refusalStatus, p.retryAfter }

// wholeSeconds rounds up, so that a timeout below one second is not disabled.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}
