package translate

import (
	"fmt"
	"slices"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// dropTimeouts removes the timeouts that have no effect, and returns a Problem for each of them. Hashed and Named store
// nothing, neither in Limpet nor at the client, so their sessions have no start and no last use.
func dropTimeouts(a *model.Affinity) (problems []Problem) {
	if a == nil || slices.ContainsFunc(a.Methods, hasLifetime) {
		return nil
	}
	if a.AbsoluteTimeout > 0 {
		problems = append(problems, timeoutProblem("absoluteTimeout"))
	}
	if a.IdleTimeout > 0 {
		problems = append(problems, timeoutProblem("idleTimeout"))
	}
	a.AbsoluteTimeout, a.IdleTimeout = 0, 0
	return problems
}

func timeoutProblem(field string) Problem {
	return problemOf(ReasonNoEffect, "spec."+field,
		"%s has no effect: sessions with binding Hashed or Named never end, because no record of them is kept;"+
			" add a method with binding Issued, Learned or Wrapped, or remove %s", field, field)
}

// hasLifetime reports whether the sessions of a method can end.
func hasLifetime(m model.Method) bool {
	return m.Binding != model.BindingHashed && m.Binding != model.BindingNamed
}

// maxLearnedFrom is the maximum number of response fields that a policy learns ids from.
const maxLearnedFrom = 8

func (c *compiler) learnedFrom(a *model.Affinity, from []v1alpha1.LearnedFrom) (out []model.ResponseField) {
	if len(from) == 0 {
		return nil
	}
	if !slices.ContainsFunc(a.Methods, func(m model.Method) bool { return m.Binding == model.BindingLearned }) {
		c.invalid("learned.from", "needs a method with binding Learned")
	}
	if len(from) > maxLearnedFrom {
		c.invalid("learned.from", "must have at most %d entries", maxLearnedFrom)
	}
	for i := range from {
		field := fmt.Sprintf("learned.from[%d]", i)
		switch f := &from[i]; f.Source {
		case v1alpha1.LearnedSourceCookie:
			if f.Cookie == nil || !isToken(f.Cookie.Name) {
				c.invalid(field+".cookie.name", "must be set to a token of at most %d bytes with source Cookie", maxName)
				continue
			}
			out = append(out, model.ResponseField{Source: model.SourceCookie, Name: f.Cookie.Name})
		case v1alpha1.LearnedSourceHeader:
			if h := c.header(f.Header, field+".header.name"); h != nil {
				out = append(out, model.ResponseField{Source: model.SourceHeader, Name: h.Name})
			}
		default:
			c.invalid(field+".source", "%s must be Cookie or Header", quote(string(f.Source)))
		}
	}
	return out
}
