package affinity

import "time"

// Outcome is what became of one request's session.
type Outcome uint8

// The outcomes. Their strings are labels of metrics and fields of the access log.
const (
	OutcomeNone    Outcome     = iota // no policy, or one that exempts the request
	OutcomeNew                        // no method recognised the client
	OutcomeHit                        // back to its own endpoint
	OutcomeMoved                      // to another endpoint, or another session: see Reason
	OutcomeInvalid                    // what should have been a token was none of ours: treated as new
	OutcomeRefused                    // its own endpoint is not there, and the policy is to fail rather than move
	NumOutcomes    = int(iota)        // how many there are
)

var outcomeNames = [NumOutcomes]string{"none", "new", "hit", "moved", "invalid", "refused"}

func (o Outcome) String() string { return outcomeNames[o] }

// Reason says why a session was moved or refused.
type Reason uint8

// The reasons. Their strings are labels of metrics and fields of the access log.
const (
	ReasonNone       Reason      = iota // neither moved nor refused
	ReasonGone                          // its endpoint has left, or drains without keeping sessions
	ReasonExpired                       // its token is out of time
	ReasonFailed                        // its endpoint does not answer
	ReasonRebalanced                    // it was idle, and another endpoint has fewer
	ReasonFull                          // its endpoint, or every one, has as much as the policy allows
	NumReasons       = int(iota)        // how many there are
)

var reasonNames = [NumReasons]string{"", "gone", "expired", "failed", "rebalanced", "full"}

func (r Reason) String() string { return reasonNames[r] }

// maxTries bounds how many endpoints one request is offered.
const maxTried = 8

// Decision is where one request goes, and why. It is good for the Set it was made with. The zero value may be passed
// to Decide, and any other again.
type Decision struct {
	// Endpoint is an index into the Set, -1 if there is none to be had or the outcome is OutcomeRefused.
	Endpoint int
	Outcome  Outcome
	Reason   Reason
	// Await is how long the session's own endpoint is worth waiting for before the request goes to Endpoint, or is refused.
	// 0: not.
	EndpointWait time.Duration
	// From is the endpoint that a session has left for reason rebalanced, else -1.
	RebalancedFrom int
	// Issue says that the response is to carry a token: see AppendToken.
	Issue bool
	// Method is the index of the policy's method that recognised the client, -1 if none did.
	Method int
	// Session tells sessions apart for counting them at Endpoint. 0: the client has none there. It changes when BindAnswer
	// sees by what the client will be recognised.
	Session uint64
	// Guest says that nothing is known by which the client will be recognised. It is not a session, and counts all the
	// same where new ones are spread. It is taken back when BindAnswer sees what the app gives the client.
	Anonymous bool
	// Token is the one that the client brought or, with Issue, the one that it will get.
	Token Token

	now             int64
	state           *ConnState
	placementHash   uint64          // hash of the app's own value, which has a place of its own where it leads nowhere else; 0: none
	placementMethod int             // index of the method that found that value
	valueStarted    int64           // of the token on that value
	relearnMethod   int             // index of the method whose value is to be remembered anew, -1 if none is
	issuingMethod   int             // index of the method that issues the token, -1 if none does
	sessionEndpoint int             // the endpoint that the session keeps while another takes the request, else -1
	tried           [maxTried]int32 // endpoints that could not be reached
	numTried        int             // how many of spent are set
	boundBytes      int             // length of the values that BindAnswer has bound
}

// reset forgets the last decision field by field, which is cheaper than a copy of all of them.
func (d *Decision) reset(now int64, m *ConnState) {
	d.Endpoint, d.Outcome, d.Reason, d.EndpointWait, d.RebalancedFrom = none, OutcomeNone, ReasonNone, 0, none
	d.Issue, d.Method, d.Session, d.Token = false, none, 0, Token{}
	d.Anonymous, d.now, d.state = false, now, m
	d.placementHash, d.placementMethod, d.valueStarted, d.relearnMethod, d.issuingMethod, d.sessionEndpoint, d.numTried = 0, 0, 0, none, none, none, 0
	d.boundBytes = 0
}
