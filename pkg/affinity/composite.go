package affinity

import (
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// part is one part of a composite.
type part struct {
	method        // where the value is read
	claim  string // claim of the JSON Web Token in the value; empty for the value itself
}

var partSources = map[model.Source]valueSource{
	model.SourceHost: sourceHost, model.SourcePath: sourceRequestPath, model.SourceURI: sourceURI,
	model.SourceMethod: sourceMethod, model.SourceHeader: sourceHeader, model.SourceCookie: sourceCookie,
	model.SourceQueryParam: sourceQuery, model.SourceSourceIP: sourceAddress,
	model.SourceClientCertificate: sourceCertificate,
}

func compileParts(in []model.Part) []part {
	out := make([]part, len(in))
	for i, from := range in {
		p := part{claim: from.JWTClaim}
		switch p.source = partSources[from.Source]; p.source {
		case sourceHeader:
			p.name = from.Header.Name
		case sourceCookie:
			p.name = from.Cookie.Name
		case sourceQuery:
			p.name = from.QueryParam.Name
		case sourceAddress:
			p.bits4, p.bits6 = from.SourceIP.IPv4PrefixLength, from.SourceIP.IPv6PrefixLength
		}
		out[i] = p
	}
	return out
}

// hashParts returns the hash of all parts together. It returns false if a part is missing, or all of them with anyPart, if
// the values are longer than maxTotal together, or if the tokens of all claims are longer than maxJWT together. Otherwise
// clients without that part would share one hash.
func (m *method) hashParts(req Request, mem *ConnState) (key uint64, ok bool) {
	h, total, tokens, found := model.NewHasher(), 0, maxJWT, 0
	for i := range m.parts {
		p := &m.parts[i]
		value := p.read(req, mem, &tokens)
		if len(value) == 0 && !m.anyPart {
			return 0, false
		}
		if len(value) > 0 {
			found++
		}
		h, total = h.Add(value), total+len(value)
		if p.source == sourceURI {
			h, total = h.Add(req.Query()), total+len(req.Query())
		}
		if total > maxTotal {
			return 0, false
		}
	}
	return h.Sum(), found > 0
}

// read returns the value of a part, or nil. The value is valid until the next call for any part. It reads at most *tokens
// bytes of tokens, and subtracts those that it has read.
func (p *part) read(req Request, mem *ConnState, tokens *int) []byte {
	claim := func(token []byte) []byte {
		if *tokens -= len(token); *tokens < 0 {
			return nil
		}
		return mem.claim(token, p.claim)
	}
	if p.claim != "" && p.source == sourceHeader {
		value, _ := req.Header(p.name) // may be longer than other values
		return claim(value)
	}
	v := valueReader{method: &p.method, req: req, state: mem}
	if p.claim == "" {
		return v.next()
	}
	for {
		value := v.next()
		if value == nil {
			return nil
		}
		if found := claim(value); found != nil {
			return found
		}
	}
}

// recordParts appends the finding of a composite: the values of its parts, or none if a part is missing.
func (e *evaluation) recordParts(i int) {
	m := &e.methods[i]
	tokens := maxJWT
	var values []string
	for k := range m.parts {
		p := &m.parts[k]
		value := strconv.Quote(string(p.read(e.req, e.state, &tokens)))
		if p.source == sourceURI && len(e.req.Query()) > 0 {
			value = strconv.Quote(string(e.req.Path()) + "?" + string(e.req.Query()))
		}
		values = append(values, value)
	}
	if _, ok := m.hashParts(e.req, e.state); !ok {
		e.addFinding(i, "", ResultAbsent, none)
		return
	}
	e.addFinding(i, strings.Join(values, ", "), ResultHashed, e.d.Endpoint)
}

// partNames describes the parts, such as "Host, Header X-Tenant".
func (m *method) partNames() string {
	var names []string
	for i := range m.parts {
		p := &m.parts[i]
		name := ""
		for source, compiled := range partSources {
			if compiled == p.source {
				name = string(source)
			}
		}
		if p.name != "" {
			name += " " + p.name
		}
		if p.claim != "" {
			name += " (claim " + p.claim + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
