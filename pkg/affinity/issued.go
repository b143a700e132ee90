package affinity

import "time"

// maxSkew is how far, in seconds, the clock of the replica that sealed a token may be ahead.
const maxSkew = 5 * 60

// standing is what a value in the place of a token is worth, in rising order.
type standing uint8

const (
	absent  standing = iota
	foreign          // not a token, or of another backend, or by a key that is no more
	expired          // the session is over
	gone             // the session goes on, its endpoint does not
	alive
)

// askIssued looks for a token of this backend. Of several the best one counts, and not just the first: a cookie left
// behind under another Path comes first and would shadow the one in use (RFC 6265, section 5.4).
func (c *call) askIssued(i int) {
	var best, t Token
	top, adopted := absent, none
	v := values{method: &c.methods[i], req: c.req, mem: c.mem}
	for value := v.next(); value != nil; value = v.next() {
		s, at := c.examine(value, &t)
		if s == alive {
			c.hit(i, &t, at)
			return
		}
		if s > top {
			best, top = t, s
		}
		if s == foreign && adopted == none {
			adopted = c.adopt.find(value, c.set)
		}
	}
	if top == absent && c.methods[i].source == fromCookie {
		adopted = c.adopt.findElsewhere(c.req, c.set)
	}
	if adopted != none && top <= foreign && c.keeps(c.set, adopted, c.d.now) {
		c.adopted(i, adopted)
		return
	}
	c.miss(i, &best, top)
}

// adopted makes the session of another controller one of ours.
func (c *call) adopted(i, at int) {
	d := c.d
	d.Endpoint = at
	d.issueBy(i)
	if !c.kept && !c.settled {
		d.Outcome, d.Reason, d.Method = OutcomeHit, ReasonNone, i
	}
}

// examine opens a value, and finds its endpoint if it is alive.
func (c *call) examine(value []byte, t *Token) (s standing, at int) {
	if !c.keys.Open(c.mem, value, t) || t.Scope != c.scope {
		return foreign, none
	}
	if c.isOver(t, c.d.now) {
		return expired, none
	}
	at, ok := c.set.Lookup(c.identity, t.Endpoint)
	if !ok || !c.keeps(c.set, at, c.d.now) {
		return gone, none
	}
	return alive, at
}

func (c *call) hit(i int, t *Token, at int) {
	d := c.d
	d.Endpoint = at
	if !c.kept {
		d.Outcome, d.Reason, d.Await = OutcomeHit, ReasonNone, 0
	}
	if c.isDue(t, d.now) || c.rebalance.isDue(t, d.now) || c.mem.key > 0 { // a key that seals no more will be dropped
		d.issueBy(i)
	}
	if c.rebalance.isIdle(t, d.now) && !c.kept && !c.probes {
		c.rebalanceFrom(at)
	}
	c.keep(i, t)
}

func (c *call) rebalanceFrom(at int) {
	to, moves := c.settleElsewhere(at)
	if !moves {
		return
	}
	d := c.d
	d.Endpoint, d.From = to, at
	d.Outcome, d.Reason = OutcomeMoved, ReasonRebalanced
}

// miss notes why method i has named no endpoint. It issues the token, unless a method before it does.
func (c *call) miss(i int, t *Token, s standing) {
	d := c.d
	d.issueBy(i)
	if c.settled && s != gone {
		return
	}
	switch {
	case s == gone:
		d.Outcome, d.Reason, d.Await = c.lost(), ReasonGone, c.patience(t)
		c.keep(i, t)
	case s == expired && d.Outcome != OutcomeMoved:
		d.Outcome, d.Reason = OutcomeMoved, ReasonExpired
	case s == foreign && d.Outcome == OutcomeNew:
		d.Outcome = OutcomeInvalid
	}
}

// A token that was sealed within the last freshFor may name an endpoint that this replica has not heard of yet. It waits
// for hearsay: EndpointSlices reach all replicas within some milliseconds of each other, unless one is busy.
const (
	freshFor = 10 // seconds
	hearsay  = 500 * time.Millisecond
)

// patience is how long the endpoint of a token is worth waiting for that is not there: as long as the policy says, else
// for a moment if another replica may know more than this one.
func (c *call) patience(t *Token) time.Duration {
	if c.wait > 0 {
		return c.wait
	}
	_, known := c.set.Lookup(c.identity, t.Endpoint)
	if known || c.d.now-t.Renewed > freshFor || c.set.Left(c.identity, t.Endpoint) {
		return 0
	}
	return hearsay
}

// keep makes the session of t, which method i found, the one that goes on, unless there is one already.
func (c *call) keep(i int, t *Token) {
	if c.kept {
		return
	}
	c.kept = true
	c.d.Token, c.d.Session, c.d.Method = *t, t.Session, i
}

func (d *Decision) issueBy(i int) {
	if d.issuer == none {
		d.issuer = i
	}
}

// isOver reports whether a token is out of time, or further in the future than clocks may differ.
func (p *Policy) isOver(t *Token, now int64) bool {
	end := p.end(t)
	return end > 0 && now >= end || max(t.Bound, t.Renewed) > now+maxSkew
}

// isDue reports whether half of the idle time has passed since a token was sealed.
func (p *Policy) isDue(t *Token, now int64) bool {
	return p.idle > 0 && 2*(now-t.Renewed) >= p.idle
}

// end is when a token is out of time if it is not renewed, in Unix seconds; 0 for never.
func (p *Policy) end(t *Token) int64 {
	switch {
	case p.absolute == 0 && p.idle == 0:
		return 0
	case p.idle == 0:
		return t.Bound + p.absolute
	case p.absolute == 0:
		return t.Renewed + p.idle
	default:
		return min(t.Bound+p.absolute, t.Renewed+p.idle)
	}
}
