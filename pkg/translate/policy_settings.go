package translate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// compiler collects the problems of a policy, in the order of its fields.
type compiler struct {
	problems []Problem
}

func (c *compiler) invalid(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{v1alpha1.ReasonInvalid, field, fmt.Sprintf(format, args...)})
}

func (c *compiler) unsupported(field, format string, args ...any) {
	c.problems = append(c.problems, Problem{v1alpha1.ReasonUnsupported, field, fmt.Sprintf(format, args...)})
}

// compile returns the settings of a policy, without scope and generated names, or all of its problems. Fields of Problems are
// relative to spec. Values that are not set get the defaults of the API, because the API server has not defaulted policies
// that are made from annotations.
func compile(source model.Ref, spec *v1alpha1.AffinityPolicySpec) (*model.Affinity, []Problem) {
	var c compiler
	a := &model.Affinity{Source: source}
	a.Methods = c.methods(spec.Methods)
	a.LearnedFrom = c.learnedFrom(a, spec.Learned.From)
	a.AbsoluteTimeout = c.duration(deref(spec.AbsoluteTimeout), "absoluteTimeout")
	a.IdleTimeout = c.duration(deref(spec.IdleTimeout), "idleTimeout")
	c.newSession(a, &spec.NewSession)
	a.BalanceFactor = c.balanceFactor(spec.Hash.BalanceFactor, "hash.balanceFactor")
	a.StickyBudget = c.stickyBudget(&spec.StickyBudget)
	a.KeepDraining = spec.Drain.KeepSessions == nil || *spec.Drain.KeepSessions
	a.DrainTimeout = c.duration(spec.Drain.Timeout, "drain.timeout")
	a.Unavailable = c.unavailable(&spec.Unavailable, a.RefuseWhenFull)
	a.Ejection = c.ejection(spec.Ejection)
	a.RequestLimits = c.requestLimits(&spec.CircuitBreaker)
	a.Refuse = c.refuse(&spec.NewSession, &a.Unavailable)
	a.Identity = model.Identity(cmp.Or(spec.Identity, v1alpha1.IdentityPod))
	c.rebalance(a, &spec.Rebalance)
	c.handoff(a, &spec.Drain)
	a.Adopt = adopted(spec.Adopt)
	c.checkWrapped(a)
	a.MovedHeader = c.movedHeader(spec.MovedHeader)
	c.compareHeaders(a)
	a.Exempt = exempt(&spec.Exempt)
	a.StickySplit = spec.Split.Sticky
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return a, nil
}

func (c *compiler) duration(d v1alpha1.Duration, field string) time.Duration {
	out, err := d.Parse()
	if err != nil || out < 0 {
		c.invalid(field, "%s is not a duration: %s", quote(string(d)), d.Problem())
		return 0
	}
	return out
}

func (c *compiler) newSession(a *model.Affinity, n *v1alpha1.NewSession) {
	a.Pick = model.Pick(cmp.Or(n.Pick, v1alpha1.PickLeastSessions))
	a.SlowStart = c.duration(n.SlowStart, "newSession.slowStart")
	a.MaxSessions = n.MaxSessionsPerEndpoint
	a.RefuseWhenFull = n.Overflow == v1alpha1.OverflowRefuse
	a.PreferZone = n.PreferZone
	if a.MaxSessions < 0 {
		c.invalid("newSession.maxSessionsPerEndpoint", "%d must not be negative", a.MaxSessions)
	}
}

func (c *compiler) balanceFactor(percent int32, field string) int32 {
	if percent != 0 && percent <= 100 {
		c.invalid(field, "%d must be 0, or more than 100", percent)
	}
	return percent
}

func (c *compiler) stickyBudget(in *v1alpha1.StickyBudget) model.StickyBudget {
	factor := c.balanceFactor(in.BalanceFactor, "stickyBudget.balanceFactor")
	if factor == 0 {
		return model.StickyBudget{}
	}
	return model.StickyBudget{BalanceFactor: factor, MinRequests: max(in.MinRequests, 1)}
}

// unavailable returns the action with the fields that belong to it. If sessions are refused when all endpoints are full, the
// response is the same as for Fail.
func (c *compiler) unavailable(u *v1alpha1.Unavailable, refuses bool) model.Unavailable {
	out := model.Unavailable{Action: model.UnavailableAction(cmp.Or(u.Action, v1alpha1.UnavailableRepick))}
	if out.Action == model.UnavailableFail || refuses {
		out.Status = int(cmp.Or(u.Status, 503))
		out.RetryAfter = c.duration(cmp.Or(u.RetryAfter, "5s"), "unavailable.retryAfter")
	}
	if u.NotReady != v1alpha1.NotReadyMove {
		out.NotReady = model.NotReadyAction(u.NotReady)
	}
	if out.Action == model.UnavailableWait || out.NotReady == model.NotReadyWait {
		out.Wait = c.duration(u.Wait, "unavailable.wait")
	}
	if out.NotReady == model.NotReadyWait && out.Wait == 0 {
		c.invalid("unavailable.wait", "must be more than 0s with notReady Wait")
	}
	return out
}

// refuse returns the response when all endpoints are full. For the zero value, Unavailable applies.
func (c *compiler) refuse(n *v1alpha1.NewSession, like *model.Unavailable) model.Refusal {
	r := n.Refuse
	if r == (v1alpha1.Refuse{}) {
		return model.Refusal{}
	}
	if n.Overflow != v1alpha1.OverflowRefuse {
		c.invalid("newSession.refuse", "may only be set with overflow Refuse")
	}
	if r.Status != 0 && (r.Status < 400 || r.Status > 599) {
		c.invalid("newSession.refuse.status", "%d must be from 400 to 599", r.Status)
	}
	out := model.Refusal{Status: cmp.Or(int(r.Status), like.Status), RetryAfter: like.RetryAfter}
	if r.RetryAfter != "" {
		out.RetryAfter = c.duration(r.RetryAfter, "newSession.refuse.retryAfter")
	}
	return out
}

// checkWrapped rejects Wrapped with an idle timeout. The token is sent together with the value of the app, so Limpet cannot
// renew it in other responses.
func (c *compiler) checkWrapped(a *model.Affinity) {
	for i, m := range a.Methods {
		if m.Binding == model.BindingWrapped && a.IdleTimeout > 0 {
			c.invalid(fmt.Sprintf("methods[%d].binding", i),
				"Wrapped cannot be combined with idleTimeout, because only the app can renew its value; use absoluteTimeout")
		}
	}
}

func (c *compiler) rebalance(a *model.Affinity, r *v1alpha1.Rebalance) {
	if r.Mode != v1alpha1.RebalanceOnIdle {
		return
	}
	a.Rebalance.AfterIdle = c.duration(r.AfterIdle, "rebalance.afterIdle")
	a.Rebalance.MaxPerMinute = r.MaxPerMinute
	if a.Rebalance.AfterIdle == 0 {
		c.invalid("rebalance.afterIdle", "must be more than 0s with mode OnIdle")
	}
	if !slices.ContainsFunc(a.Methods, isIssued) {
		c.invalid("rebalance.mode", "OnIdle requires a method with binding Issued, because only its sessions can be moved")
	}
}

func isIssued(m model.Method) bool { return m.Binding == model.BindingIssued }

func adopted(in []v1alpha1.Adopted) []model.Adopted {
	var out []model.Adopted
	for _, controller := range in {
		out = append(out, model.Adopted(controller))
	}
	return out
}

func (c *compiler) movedHeader(name string) string {
	if name == "" {
		return ""
	}
	if h := c.header(&v1alpha1.Header{Name: name}, "movedHeader"); h != nil {
		return h.Name
	}
	return ""
}

func exempt(e *v1alpha1.Exempt) *model.Exempt {
	if len(e.Methods)+len(e.Paths)+len(e.UserAgents) == 0 {
		return nil
	}
	return &model.Exempt{Methods: e.Methods, Paths: e.Paths, UserAgents: e.UserAgents}
}
