package affinity

import (
	"bytes"

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
		return own{standing: foreign, at: none, session: session}
	}
	if c.isOver(&t, c.d.now) {
		return own{standing: expired, at: none, session: session}
	}
	o := c.find(c.identity, t.Endpoint, session)
	o.bound = t.Bound
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
	if o.standing == absent {
		return
	}
	if d.seed == 0 {
		d.seed, d.bound = o.session, o.bound
	}
	if o.standing != alive && c.methods[i].binding == learned {
		d.relearn = i
	}
	switch o.standing {
	case alive:
		d.Endpoint = o.at
		c.settle(i, o, OutcomeHit, ReasonNone)
	case gone:
		d.Await = c.wait
		c.settle(i, o, c.lost(), ReasonGone)
	case expired:
		c.settle(i, o, OutcomeMoved, ReasonExpired)
	}
}

// settle notes what became of the session that method i knows, unless a method before it has found one.
func (c *call) settle(i int, o *own, outcome Outcome, why Reason) {
	if c.settled || c.kept {
		return
	}
	c.settled = true
	d := c.d
	d.Outcome, d.Reason, d.Method, d.Session = outcome, why, i, o.session
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
	if i < set.Ready() {
		return true
	}
	return p.keepDraining && (p.drainFor == 0 || now-set.Since(i) < p.drainFor)
}
