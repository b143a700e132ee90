package translate

import (
	"fmt"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// effects finds the settings of one policy that have no effect in combination with its other settings or the flags. The
// policy is applied, because the rest of it works. ADR 50 lists all fields.
type effects struct {
	spec     *v1alpha1.AffinityPolicySpec
	settings *model.Affinity
	options  *Options
	problems []Problem
}

// withoutEffect returns a problem for each setting of an accepted policy that has no effect.
func withoutEffect(spec *v1alpha1.AffinityPolicySpec, settings *model.Affinity, o *Options) []Problem {
	e := &effects{spec: spec, settings: settings, options: o}
	e.checkMethods()
	e.checkNewSession()
	e.checkUnavailable()
	e.checkEjection()
	e.checkMoves("rebalance", e.settings.Rebalance.AfterIdle)
	e.checkHandoff()
	e.checkLoad()
	e.checkAdopt()
	e.checkGroup()
	e.checkExempt()
	return e.problems
}

func (e *effects) none(field, why string, args ...any) {
	e.problems = append(e.problems,
		problemOf(ReasonNoEffect, "spec."+field, "%s has no effect: %s", field, fmt.Sprintf(why, args...)))
}

// has reports whether a method has one of the bindings.
func (e *effects) has(bindings ...model.Binding) bool {
	return slices.ContainsFunc(e.settings.Methods, func(m model.Method) bool { return slices.Contains(bindings, m.Binding) })
}

// onlyHashes reports whether all methods are hashed.
func (e *effects) onlyHashes() bool {
	return !e.has(model.BindingIssued, model.BindingLearned, model.BindingWrapped, model.BindingNamed)
}

// recognizesAll reports whether the last method finds a value in every request. A pod is then never picked.
func (e *effects) recognizesAll() bool {
	last := e.settings.Methods[len(e.settings.Methods)-1]
	switch last.Source {
	case model.SourceSourceIP:
		return true
	case model.SourceComposite:
		return !slices.ContainsFunc(last.Parts, func(p model.Part) bool { return isOptional(p.Source) })
	}
	return false
}

// isOptional reports whether a request may not have such a part.
func isOptional(source model.Source) bool {
	switch source {
	case model.SourceHost, model.SourcePath, model.SourceURI, model.SourceMethod, model.SourceSourceIP:
		return false
	}
	return true
}

func (e *effects) checkMethods() {
	for i := range e.settings.Methods {
		m := &e.settings.Methods[i]
		if in := e.spec.Methods[i].Cookie; in != nil && m.Binding != model.BindingIssued {
			e.checkAttributes(in, m.Binding, fmt.Sprintf("methods[%d].cookie", i))
		}
		if j := slices.IndexFunc(e.settings.Methods[:i], func(n model.Method) bool { return hides(&n, m) }); j >= 0 {
			e.none(fmt.Sprintf("methods[%d]", i), "methods[%d] recognizes the same clients first", j)
		}
		hasPart := func(source model.Source) bool {
			return slices.ContainsFunc(m.Parts, func(p model.Part) bool { return p.Source == source })
		}
		if hasPart(model.SourceURI) && hasPart(model.SourcePath) {
			e.none(fmt.Sprintf("methods[%d].composite.parts", i), "in part: URI contains the path, so Path adds nothing")
		}
	}
}

// hides reports whether an earlier method recognizes every client that a later one recognizes.
func hides(earlier, later *model.Method) bool {
	if earlier.Source != later.Source || placeOf(earlier) != placeOf(later) {
		return false
	}
	if earlier.Binding == model.BindingHashed {
		return true
	}
	return earlier.Binding == later.Binding && earlier.By == later.By && earlier.Separator == later.Separator
}

// placeOf describes where a method looks, apart from its source.
func placeOf(m *model.Method) string {
	switch {
	case m.Cookie != nil:
		return m.Cookie.Name
	case m.Header != nil:
		return m.Header.Name
	case m.QueryParam != nil:
		return m.QueryParam.Name
	case m.PathSegment != nil:
		return fmt.Sprint(m.PathSegment.Index)
	}
	return partsText(m.Parts)
}

// checkAttributes reports attributes of a cookie that the app sets.
func (e *effects) checkAttributes(c *v1alpha1.Cookie, binding model.Binding, field string) {
	for _, attribute := range []struct {
		name string
		set  bool
	}{
		{"path", c.Path != "" && c.Path != "/"},
		{"domain", c.Domain != ""},
		{"sameSite", c.SameSite != "" && c.SameSite != v1alpha1.SameSiteLax},
		{"secure", c.Secure != "" && c.Secure != v1alpha1.SecureAuto},
		{"httpOnly", c.HTTPOnly != nil && !*c.HTTPOnly},
		{"partitioned", c.Partitioned},
		{"lifetimeType", c.LifetimeType != "" && c.LifetimeType != v1alpha1.LifetimeSession},
	} {
		if attribute.set {
			e.none(field+"."+attribute.name, "with binding %s the app sets the cookie", binding)
		}
	}
}

func (e *effects) checkNewSession() {
	n := &e.spec.NewSession
	if e.recognizesAll() && n.Pick != "" && n.Pick != v1alpha1.PickLeastSessions {
		e.none("newSession.pick", "the last method places every new client by a hash")
	}
	switch {
	case !n.PreferZone:
	case e.recognizesAll():
		e.none("newSession.preferZone", "the last method places every new client by a hash, on which replicas of all zones agree")
	case n.Pick == v1alpha1.PickHash:
		e.none("newSession.preferZone", "pick Hash places clients by a hash, on which replicas of all zones agree")
	case e.options.WithoutZone:
		e.none("newSession.preferZone", "Limpet does not know its own zone; set the flag --zone")
	}
}

func (e *effects) checkUnavailable() {
	if !e.onlyHashes() {
		return
	}
	if e.settings.Unavailable.Action == model.UnavailableWait {
		e.none("unavailable.action", "Wait needs a method with another binding than Hashed, which places the session elsewhere")
	}
	if e.settings.Unavailable.NotReady != "" {
		e.none("unavailable.notReady", "it needs a method with another binding than Hashed: "+
			"a hashed session is served elsewhere and returns by itself")
	}
}

func (e *effects) checkEjection() {
	in, set := e.spec.Ejection, e.settings.Ejection
	if set != nil && set.Failures == 0 && len(in.Events)+len(in.Statuses) > 0 {
		e.none("ejection.failures", "0 disables ejection, so ejection.events and ejection.statuses have no effect")
	}
}

// checkMoves compares timeouts with the age of the token at which a session counts as idle: one and a half times afterIdle,
// because a token is renewed at half of it. field is the object that afterIdle is in.
func (e *effects) checkMoves(field string, after time.Duration) {
	if after == 0 {
		return
	}
	if idle := e.settings.IdleTimeout; idle > 0 && 2*idle <= 3*after {
		e.none(field, "idleTimeout ends a session before it may move; it must be more than 1.5 times %s.afterIdle", field)
		return
	}
	if absolute := e.settings.AbsoluteTimeout; absolute > 0 && 2*absolute <= 3*after {
		e.none(field, "absoluteTimeout ends a session before it may move; it must be more than 1.5 times %s.afterIdle", field)
	}
}

func (e *effects) checkHandoff() {
	h := e.settings.Handoff
	if h == nil {
		return
	}
	e.checkMoves("drain.handoff", h.AfterIdle)
	if timeout := e.settings.DrainTimeout; timeout > 0 && 2*timeout <= 3*h.AfterIdle {
		e.none("drain.handoff.afterIdle",
			"drain.timeout moves all sessions before they count as idle; it must be more than 1.5 times drain.handoff.afterIdle")
	}
}

// defaultMinRequests is the default of stickyBudget.minRequests.
const defaultMinRequests = 10

func (e *effects) checkLoad() {
	if e.settings.BalanceFactor > 0 && !e.has(model.BindingHashed) {
		e.none("hash.balanceFactor", "no method has the binding Hashed")
	}
	budget := &e.spec.StickyBudget
	switch {
	case budget.BalanceFactor > 0 && e.onlyHashes():
		e.none("stickyBudget.balanceFactor", "all methods have the binding Hashed; set hash.balanceFactor")
	case budget.BalanceFactor == 0 && budget.MinRequests != 0 && budget.MinRequests != defaultMinRequests:
		e.none("stickyBudget.minRequests", "stickyBudget.balanceFactor is 0")
	}
}

func (e *effects) checkAdopt() {
	named := func(m model.Method) bool {
		return m.Source == model.SourceCookie && m.Binding == model.BindingIssued && m.Cookie.Name != ""
	}
	if len(e.settings.Adopt) > 0 && !slices.ContainsFunc(e.settings.Methods, named) {
		e.none("adopt", "without cookie.name, Limpet reads a cookie of its own; "+
			"set cookie.name to the name of the cookie that the other controller set")
	}
}

func (e *effects) checkGroup() {
	if e.spec.Group != "" && !slices.ContainsFunc(e.settings.Methods, func(m model.Method) bool { return hasScope(m.Binding) }) {
		e.none("group", "sessions of the bindings Hashed and Named are the same for all Services with the same pods")
	}
}

func (e *effects) checkExempt() {
	if slices.Contains(e.spec.Exempt.Paths, "/") {
		e.problems = append(e.problems, problemOf(ReasonNoEffect, "spec.exempt.paths",
			`the policy has no effect: exempt.paths contains "/", which exempts every request`))
	}
}
