package filter

import (
	"bytes"
	"regexp"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// replacement is a compiled model.Replacement.
type replacement struct {
	from []byte
	// matches and expression are the same expression, or nil if from is text. Package regexp is slower, but finds groups.
	matches    *pattern.Pattern
	expression *regexp.Regexp
	to         []replacementPart
}

// replacementPart is literal text, followed by a variable or a group.
type replacementPart struct {
	literal  []byte
	variable string // empty without a variable
	group    int    // zero without a group
}

// newReplacement compiles a replacement, which may be nil. One that is invalid returns nil: translation rejects it.
func newReplacement(m *model.Replacement) *replacement {
	if m == nil {
		return nil
	}
	p := &replacement{from: []byte(m.From)}
	if m.IsExpression && !p.compile(m) {
		return nil
	}
	pieces, err := variable.Split(m.To)
	if err != nil {
		return nil
	}
	for _, piece := range pieces {
		next := replacementPart{literal: []byte(piece.Literal), variable: piece.Name}
		if len(piece.Name) == 1 && '1' <= piece.Name[0] && piece.Name[0] <= '9' {
			next.variable, next.group = "", int(piece.Name[0]-'0')
		}
		p.to = append(p.to, next)
	}
	return p
}

func (p *replacement) compile(m *model.Replacement) bool {
	var err error
	if p.matches, err = pattern.Compile(m.Expression()); err != nil {
		return false
	}
	p.expression, err = regexp.Compile(m.Expression())
	return err == nil
}

// replacePrefix replaces the text at start if it is from, or all text from start to end if that matches the expression.
func (p *replacement) replacePrefix(r *Request, field *http1.Field, start, end int) {
	if p.expression != nil {
		p.replaceMatch(r, field, start, end)
	} else if bytes.HasPrefix(field.Value[start:end], p.from) {
		p.replace(r, field, start, start+len(p.from), nil)
	}
}

// maxMatched bounds the length of a value that is compared with an expression. Longer ones stay as they are.
const maxMatched = 1 << 10

// replaceMatch replaces the text from start to end if it matches the expression.
func (p *replacement) replaceMatch(r *Request, field *http1.Field, start, end int) {
	value := field.Value[start:end]
	if len(value) > maxMatched || !p.matches.Match(value) {
		return
	}
	if groups := p.expression.FindSubmatchIndex(value); groups != nil {
		p.replace(r, field, start, end, groups)
	}
}

// maxRewritten bounds the bytes that the rewritten fields of one response need. Others stay as they are.
const maxRewritten = 64 << 10

// replace replaces the text from start to end. groups are the positions of groups after start.
func (p *replacement) replace(r *Request, field *http1.Field, start, end int, groups []int) {
	if len(r.Buf) > maxRewritten {
		return
	}
	at := len(r.Buf)
	r.Buf = append(r.Buf, field.Value[:start]...)
	for i := range p.to {
		part := &p.to[i]
		r.Buf = append(r.Buf, part.literal...)
		if g := 2 * part.group; part.group > 0 && g+1 < len(groups) && groups[g] >= 0 {
			r.Buf = append(r.Buf, field.Value[start+groups[g]:start+groups[g+1]]...)
		}
		r.Buf = append(r.Buf, r.hostVariable(part.variable)...)
	}
	r.Buf = append(r.Buf, field.Value[end:]...)
	field.Value = r.Buf[at:len(r.Buf):len(r.Buf)]
}

// hostVariable returns the value of a variable that describes where the client sent the request, or nil.
func (r *Request) hostVariable(name string) []byte {
	switch name {
	case "scheme":
		if r.Secure() {
			return schemeHTTPS
		}
		return schemeHTTP
	case "host":
		return r.Host
	case "http_host":
		return r.Origin.Authority
	}
	return nil
}

var schemeHTTP, schemeHTTPS = []byte("http"), []byte("https")
