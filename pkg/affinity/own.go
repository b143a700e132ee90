package affinity

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The bindings here recognise a client by a value that the app has given it: it names the pod, Limpet has sealed a
// token onto it, or Limpet has seen where it came from.

// Store remembers where learned sessions live. It is safe for concurrent use, does not keep ids, and answers at once or
// within a bound of its own: a store that fails says that it knows nothing.
type Store interface {
	Lookup(scope uint64, id []byte) (model.EndpointKey, bool)
	Remember(scope uint64, id []byte, key model.EndpointKey)
	Forget(scope uint64, id []byte)
}

// own is an app's value, and what it is worth.
type own struct {
	standing standing
	at       int
	session  uint64
	bound    int64 // of a token sealed onto it
	patience time.Duration
	forged   bool // the token is none of ours
}

// askOwn looks for a value that leads to an endpoint. Of several the best one counts, as with tokens.
func (c *call) askOwn(i int) {
	best := own{at: none}
	v := values{method: &c.methods[i], req: c.req, mem: c.mem}
	for value := v.next(); value != nil; value = v.next() {
		o := c.examineOwn(&c.methods[i], value)
		if o.standing > best.standing {
			best = o
		}
		if best.standing == alive {
			break
		}
	}
	c.take(i, &best)
}

func (c *call) examineOwn(m *method, value []byte) own {
	switch m.binding {
	case named:
		return c.examineNamed(m, value)
	case wrapped:
		return c.examineWrapped(value)
	default:
		return c.examineLearned(value)
	}
}

// examineNamed takes what follows the last separator for what names a pod; all of the value, if it has none.
func (c *call) examineNamed(m *method, value []byte) own {
	session := model.Hash(value)
	cut := bytes.LastIndex(value, m.separator)
	if cut >= 0 {
		value = value[cut+len(m.separator):]
	}
	o := c.find(m.by, model.KeyOf(value), session)
	if o.standing == gone && cut < 0 {
		o.standing = foreign // it may never have been meant to name one
	}
	return o
}

// examineWrapped opens the token on the value. It counts for the value that it was sealed onto, and for no other.
func (c *call) examineWrapped(value []byte) own {
	value, text := unwrap(value)
	session := model.Hash(value)
	var t Token
	if text == nil || !c.keys.Open(c.mem, text, &t) || t.Scope != c.scope || t.Session != session {
		return own{standing: foreign, at: none, session: session, forged: text != nil}
	}
	if c.isOver(&t, c.d.now) {
		return own{standing: expired, at: none, session: session}
	}
	o := c.find(c.identity, t.Endpoint, session)
	o.bound = t.Bound
	if o.standing == gone {
		o.patience = c.patience(&t)
	}
	return o
}

func (c *call) examineLearned(value []byte) own {
	session := model.Hash(value)
	if c.mem.Learned == nil {
		return own{standing: foreign, at: none, session: session}
	}
	key, ok := c.mem.Learned.Lookup(c.scope, value)
	if !ok {
		return own{standing: foreign, at: none, session: session}
	}
	return c.find(c.identity, key, session)
}

func (c *call) find(id model.Identity, key model.EndpointKey, session uint64) own {
	at, ok := c.set.Lookup(id, key)
	if !ok || !c.keeps(c.set, at, c.d.now) {
		return own{standing: gone, at: none, session: session}
	}
	return own{standing: alive, at: at, session: session}
}

// take settles what method i has found. A value that leads nowhere still has a place of its own, by its hash: all its
// requests meet on one endpoint, whichever replica they come to.
func (c *call) take(i int, o *own) {
	d := c.d
	if c.learns(i, o.standing) {
		d.relearn = i
	}
	switch o.standing {
	case alive:
		d.Endpoint, c.settled = o.at, false
		c.settle(i, o, OutcomeHit, ReasonNone)
	case gone:
		c.settle(i, o, c.lost(), ReasonGone)
	case expired:
		c.settle(i, o, OutcomeMoved, ReasonExpired)
	case foreign:
		c.seed(i, o)
		if o.forged && d.Outcome == OutcomeNew {
			d.Outcome = OutcomeInvalid
		}
	}
}

// learns reports whether a value in that standing is to be remembered from the request: one that was known, and one in a
// query, where no answer could have shown it. Unknown ones elsewhere are not, since anybody can make them up.
func (c *call) learns(i int, s standing) bool {
	m := &c.methods[i]
	return m.binding == learned && (s == gone || s == foreign && m.source == fromQuery)
}

// settle notes what became of the session that method i knows, unless a method before it has found one.
func (c *call) settle(i int, o *own, outcome Outcome, why Reason) {
	if c.settled || c.kept {
		return
	}
	c.settled = true
	d := c.d
	d.seed = 0
	c.seed(i, o)
	d.Outcome, d.Reason, d.Method, d.Session, d.Await = outcome, why, i, o.session, 0
	if why == ReasonGone {
		d.Await = max(c.wait, o.patience)
	}
}

// seed makes the hash of a value the place of its session, unless there is one already.
func (c *call) seed(i int, o *own) {
	if d := c.d; d.seed == 0 {
		d.seed, d.seeder, d.bound = o.session, i, o.bound
	}
}

// stay sees that a session which leads nowhere, and which has been on its endpoint before as far as this replica has
// seen, does not count as moving again with each request.
func (c *call) stay() {
	d := c.d
	if c.kept || d.Endpoint == none || d.Outcome == OutcomeHit {
		return
	}
	d.Session = d.seed
	if c.set.Knows(d.Endpoint, d.seed) {
		d.Outcome, d.Reason, d.Method, d.Await = OutcomeHit, ReasonNone, d.seeder, 0
	}
}

// lost is the outcome for a session whose endpoint is gone.
func (p *Policy) lost() Outcome {
	if p.strict {
		return OutcomeRefused
	}
	return OutcomeMoved
}

// keeps reports whether endpoint i may keep its sessions: a draining one for as long as the policy says.
func (p *Policy) keeps(set Set, i int, now int64) bool {
	return p.keepDraining && p.drainFor == 0 || p.keepsYet(set, i, now)
}

func (p *Policy) keepsYet(set Set, i int, now int64) bool {
	return i < set.Ready() || p.keepDraining && now-set.Since(i) < p.drainFor
}
