package translate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The defaults of drain.handoff.
const (
	defaultHandoffIdle   = "5s"
	defaultHandoffHeader = "X-Session-Handoff"
)

// handoff compiles drain.handoff.
func (c *compiler) handoff(a *model.Affinity, d *v1alpha1.Drain) {
	in := d.Handoff
	if in == nil {
		return
	}
	out := &model.Handoff{
		AfterIdle:    c.duration(cmp.Or(in.AfterIdle, defaultHandoffIdle), "drain.handoff.afterIdle"),
		Header:       c.handoffHeader(cmp.Or(in.Header, defaultHandoffHeader)),
		MaxPerMinute: in.MaxPerMinute,
	}
	if out.AfterIdle == 0 {
		c.invalid("drain.handoff.afterIdle", "must be more than 0s")
	}
	if !a.KeepDraining {
		c.invalid("drain.handoff", "may only be set with keepSessions")
	}
	if !slices.ContainsFunc(a.Methods, isIssued) {
		c.invalid("drain.handoff",
			"requires a method with binding Issued, because only its tokens show all replicas when a session was last used")
	}
	a.Handoff = out
}

// handoffHeader returns the name in canonical form. Only names with X- are allowed, because no request to the namespace can have
// the header.
func (c *compiler) handoffHeader(name string) string {
	const field = "drain.handoff.header"
	h := c.header(&v1alpha1.Header{Name: name}, field)
	switch {
	case !strings.HasPrefix(h.Name, "X-"):
		c.invalid(field, "%s must begin with X-, because clients cannot send it to any backend in the namespace", quote(name))
	case strings.HasPrefix(h.Name, "X-Forwarded-") || h.Name == "X-Real-Ip" || h.Name == "X-Request-Id":
		c.invalid(field, "%s is set by proxies; use a header of the application", h.Name)
	}
	return h.Name
}

// compareHeaders rejects a header with two meanings.
func (c *compiler) compareHeaders(a *model.Affinity) {
	if a.Handoff == nil {
		return
	}
	if a.Handoff.Header == a.MovedHeader {
		c.invalid("drain.handoff.header", "%s is the movedHeader; the two need different names", a.MovedHeader)
	}
	for i, m := range a.Methods {
		if m.Header != nil && m.Header.Name == a.Handoff.Header {
			c.invalid("drain.handoff.header", "%s is the header of methods[%d]; use another name", m.Header.Name, i)
		}
	}
}
