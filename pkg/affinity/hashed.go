package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// askHashed places the client by the value that method i finds. A client that a method before it will give a token
// to is a new one to that method, whatever its value.
func (c *call) askHashed(i int) {
	key, ok := c.methods[i].hash(c.req, c.mem)
	if !ok {
		return
	}
	at := place(c.set, c.identity, key, c.keepDraining, nil)
	if at == none {
		return
	}
	d := c.d
	d.Endpoint = at
	if d.Outcome == OutcomeNew && d.issuer == none {
		d.Outcome = OutcomeHit
	}
	if !c.kept && !c.settled {
		d.Method, d.Session = i, key
	}
}

// hash is that of the first value that the method finds.
func (m *method) hash(req Request, mem *Memory) (key uint64, ok bool) {
	v := values{method: m, req: req, mem: mem}
	value := v.next()
	return model.Hash(value), value != nil
}
