package translate

import (
	"maps"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestEngine_countsVerdicts(t *testing.T) {
	e := NewEngine(Options{})
	ref := model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "cart"}
	apply := func(in *networkingv1.Ingress) map[string]int {
		c := Change{Ref: ref}
		if in != nil {
			c.Object = in
		}
		return e.Apply([]Change{c}, EndpointObjects{}, time.Time{}).Verdicts
	}
	none := map[string]int{VerdictExact: 0, VerdictReplaced: 0, VerdictDiffers: 0, VerdictIgnored: 0, VerdictClosed: 0}
	with := func(verdict string, n int, more ...string) map[string]int {
		want := maps.Clone(none)
		want[verdict] = n
		for _, other := range more {
			want[other]++
		}
		return want
	}
	for i, c := range []struct {
		in   *networkingv1.Ingress
		want map[string]int
	}{
		{ingressWith("limpet", "proxy-body-size", "1m", "ssl-redirect", "true", "affinity", "cookie"), with(VerdictExact, 2, VerdictDiffers)},
		{ingressWith("limpet", "proxy-buffering", "on", "enable-opentracing", "true"), with(VerdictReplaced, 1, VerdictIgnored)},
		{ingressWith("limpet", "enable-modsecurity", "true", "limpet.dev/affinity", "cookie"), with(VerdictClosed, 1)},
		{ingressWith("other", "proxy-body-size", "1m"), none},
		{ingressWith("limpet", "proxy-body-size", "1m"), with(VerdictExact, 1)},
		{nil, none},
	} {
		if got := apply(c.in); !maps.Equal(got, c.want) {
			t.Errorf("step %d: %v, want %v", i, got, c.want)
		}
	}
}
