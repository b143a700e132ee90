package affinity

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

// call is one Decide in progress.
type call struct {
	*Policy
	d    *Decision
	req  Request
	set  Set
	keys *Keyring
	mem  *Memory
	kept bool // d.Token is of a session that goes on
	// settled says that a value of the app's own has settled the outcome.
	settled bool
	probes  bool // nothing comes of it, so nothing is to be moved or counted
}

// Decide says where a request goes. now is the wall clock in Unix seconds. It does not allocate, and keeps nothing
// of what it is given but what d and m are for.
func (p *Policy) Decide(d *Decision, req Request, set Set, keys *Keyring, m *Memory, now int64) {
	d.reset(now, m)
	if len(p.methods) == 0 || p.exempt != nil && p.exempt.covers(req) {
		d.Endpoint = Pick(set, model.PickRandom, req)
		return
	}
	d.Outcome = OutcomeNew
	c := call{Policy: p, d: d, req: req, set: set, keys: keys, mem: m}
	c.recognise()
	if d.Outcome == OutcomeRefused {
		return
	}
	if d.Endpoint == none {
		c.place()
	}
	if d.seed != 0 {
		c.stay()
	}
	if d.Endpoint == none && p.terms.refuse && set.Ready() > 0 {
		d.Outcome, d.Reason = OutcomeRefused, ReasonFull
		return
	}
	if p.budget.factor > 0 && d.Outcome == OutcomeHit {
		c.giveWay()
	}
	c.prepareToken()
	if d.home != none {
		d.Session = 0
		return
	}
	d.Guest = d.Session == 0
}

// place chooses an endpoint for a client that no method has brought to one.
func (c *call) place() {
	offer := c.offer(c.set, c.d)
	if c.d.seed == 0 {
		c.d.Endpoint = offer.pick(c.newSession, c.req)
		return
	}
	c.d.Endpoint = c.Policy.place(&offer, c.d.seed)
}

// recognise asks the methods in order until one of them names an endpoint.
func (c *call) recognise() {
	for i := range c.methods {
		switch c.methods[i].binding {
		case issued:
			c.askIssued(i)
		case hashed:
			c.askHashed(i)
		default:
			c.askOwn(i)
		}
		if c.mem.trace != nil {
			c.record(i)
		}
		if c.d.Endpoint != none || c.d.Outcome == OutcomeRefused {
			return
		}
	}
}

// prepareToken makes what is to be sealed, if a token is due: of the session that goes on, else of a new one.
func (c *call) prepareToken() {
	d := c.d
	if d.issuer == none {
		return
	}
	if !c.kept {
		if d.Session == 0 {
			d.Session = rand.Uint64()
		}
		d.Token = Token{Scope: c.scope, Bound: d.now, Session: d.Session}
	}
	d.Token.Renewed = d.now
	d.Issue = d.Endpoint != none
}

// offer is the endpoints that the session of d may be given to, if they have not been tried.
func (p *Policy) offer(set Set, d *Decision) candidates {
	return candidates{set: set, id: p.identity, spent: d.spent[:d.tries], terms: p.terms, now: d.now}
}
