package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// A policy that hashes an id which the app itself sets is likely a mistake. The first request has no id, so any pod may
// serve it. The id that this pod then sets leads to another pod.

// compileWatched collects the hashed methods whose value the app may set. A policy that first tries another binding is
// not watched, because that binding keeps the client at the pod.
func (p *Policy) compileWatched(source model.Ref) {
	p.source = source
	for _, m := range p.methods {
		if m.binding != hashed {
			return
		}
		if m.source == sourceCookie || m.source == sourceHeader {
			p.watched = append(p.watched, m)
		}
	}
}

// Source returns the object that contains the settings of p.
func (p *Policy) Source() model.Ref { return p.source }

// WatchesResponses reports whether callers must pass response fields to SetsHashedValue. It returns false once that
// has found a field.
func (p *Policy) WatchesResponses() bool { return len(p.watched) > 0 && !p.mistakeFound.Load() }

// SetsHashedValue reports whether the app sets a value in a response field that p hashes, and that the client did not
// send. It returns the source and the name of that value.
func (p *Policy) SetsHashedValue(req Request, state *ConnState, name, value []byte) (model.Source, string, bool) {
	for i := range p.watched {
		m := &p.watched[i]
		start, end, ok := m.valueIn(name, value)
		if !ok || m.sends(req, state, value[start:end]) {
			continue
		}
		p.mistakeFound.Store(true)
		if m.source == sourceCookie {
			return model.SourceCookie, m.name, true
		}
		return model.SourceHeader, m.name, true
	}
	return "", "", false
}

// sends reports whether a request has this value.
func (m *method) sends(req Request, state *ConnState, value []byte) bool {
	v := valueReader{method: m, req: req, state: state}
	for sent := v.next(); sent != nil; sent = v.next() {
		if bytes.Equal(sent, value) {
			return true
		}
	}
	return false
}
