package affinity

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Outcome is the result of the sticky decision for one request.
type Outcome uint8

// The outcomes. Their strings are labels of metrics and fields of the access log.
const (
	OutcomeNone    Outcome     = iota // no policy, or the request is exempt
	OutcomeNew                        // no method recognized the client
	OutcomeHit                        // sent to the endpoint of its session
	OutcomeMoved                      // sent to another endpoint, or the session was replaced: see Reason
	OutcomeInvalid                    // the token was invalid; treated as a new client
	OutcomeRefused                    // no allowed endpoint, and the policy refuses instead of moving
	OutcomeLent                       // sent to another endpoint until that of its session is ready again
	NumOutcomes    = int(iota)        // number of outcomes
)

var outcomeNames = [NumOutcomes]string{"none", "new", "hit", "moved", "invalid", "refused", "lent"}

func (o Outcome) String() string { return outcomeNames[o] }

// Reason is the cause of OutcomeMoved, OutcomeRefused and OutcomeLent.
type Reason uint8

// The reasons. Their strings are labels of metrics and fields of the access log.
const (
	ReasonNone       Reason      = iota // neither moved, refused nor lent
	ReasonGone                          // the endpoint was removed, or drains without keeping sessions
	ReasonExpired                       // the token has expired
	ReasonFailed                        // the endpoint could not be reached
	ReasonRebalanced                    // the session was idle, and another endpoint has fewer sessions
	ReasonFull                          // the endpoint, or every endpoint, reached the limit of the policy
	ReasonLent                          // the endpoint is not ready; the only reason of OutcomeLent
	ReasonHandoff                       // the endpoint drains, and the session was idle
	NumReasons       = int(iota)        // number of reasons
)

var reasonNames = [NumReasons]string{"", "gone", "expired", "failed", "rebalanced", "full", "lent", "handoff"}

func (r Reason) String() string { return reasonNames[r] }

// maxTried is the maximum number of endpoints that are tried for one request.
const maxTried = 8

// Decision is the endpoint chosen for one request, and the reason for it. It is valid only for the Set that it was
// made with. The zero value is ready for Decide. A Decision may be reused.
type Decision struct {
	// Endpoint is an index into the Set. It is -1 if no endpoint is available or the outcome is OutcomeRefused.
	Endpoint int
	Outcome  Outcome
	Reason   Reason
	// EndpointWait is the time to wait for the session's missing endpoint before the request is sent to Endpoint or
	// refused. Zero disables waiting.
	EndpointWait time.Duration
	// RebalancedFrom is the previous endpoint of a session that moved for ReasonRebalanced, otherwise -1.
	RebalancedFrom int
	// HandoffFrom is the draining endpoint that has the state of the session, if Endpoint must fetch the state: with
	// ReasonHandoff, and for later requests whose token still names the draining endpoint. Otherwise it is -1.
	HandoffFrom int
	// Issue reports whether the response must carry a token, see AppendToken.
	Issue bool
	// Method is the index of the policy's method that recognized the client, -1 if none did.
	Method int
	// Session identifies the session that Endpoint counts. Zero means that Endpoint counts no session for this
	// request. BindResponse changes it when the app sets the value that identifies the client.
	Session uint64
	// Anonymous reports whether no value identifies the client yet. Such a request belongs to no session, but it
	// counts when new sessions are distributed. BindResponse resets it when the app sets a value for the client.
	Anonymous bool
	// Token is the token that the client sent or, if Issue is set, the token to seal.
	Token Token

	now   int64 // Unix seconds
	state *ConnState

	// The app's value that places the session. If there is no such value, placementHash is zero.
	placementHash   uint64
	placementMethod int   // index of the method that found the value
	valueStarted    int64 // Token.Started of the token on the value, or zero

	// What must be written after the response.
	relearn         noteReturn // what Relearn must record
	relearnMethod   int        // index of the method that found the id
	relearnPosition int        // the id is the n-th value of that method, counted from 1
	issuingMethod   int        // index of the method that issues the token, or -1
	// compatibleSameSite omits SameSite=None, because the browser discards such cookies.
	compatibleSameSite bool
	generatedName      bool // the token has, or must have, the generated name of its method
	boundBytes         int  // total length of the values that BindResponse has bound

	// Endpoints other than Endpoint.
	sessionEndpoint int               // the session's own endpoint while the request is diverted, or -1
	lentSession     uint64            // the session of OutcomeLent, which Endpoint does not count
	lentKey         model.EndpointKey // the endpoint of lentSession, if a token names it
	tried           [maxTried]int32   // endpoints that could not be reached
	numTried        int               // number of valid elements of tried
}

// reset prepares d for the next request. Setting each field is cheaper than copying a zero Decision.
func (d *Decision) reset(now int64, state *ConnState) {
	d.Endpoint, d.Outcome, d.Reason, d.EndpointWait, d.RebalancedFrom = none, OutcomeNone, ReasonNone, 0, none
	d.HandoffFrom = none
	d.Issue, d.Method, d.Session, d.Token = false, none, 0, Token{}
	d.Anonymous, d.now, d.state = false, now, state
	d.placementHash, d.placementMethod, d.valueStarted = 0, 0, 0
	d.relearn, d.issuingMethod, d.boundBytes, d.generatedName = noteNothing, none, 0, false
	d.sessionEndpoint, d.numTried, d.lentSession = none, 0, 0
	d.compatibleSameSite = false
}
