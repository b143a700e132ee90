package stay

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// open is a folder with the shop in it, pods, and a Limpet that serves it.
type open struct {
	*folder
	limpet *limpet
	pods   []*pod
	ways   []way
}

// openShop starts a Limpet in front of n pods, with a Service, an Ingress and a policy of its own for each of the specs,
// besides those of the shop.
func openShop(t *testing.T, n int, specs map[way]v1alpha1.AffinityPolicySpec) *open {
	t.Helper()
	o := &open{folder: newFolder(t), pods: startPods(t, n)}
	for _, object := range shop() {
		o.apply(t, object)
	}
	for w, spec := range specs {
		o.apply(t, w.service())
		o.apply(t, w.ingress())
		o.applyPolicy(t, w, spec)
	}
	o.ways = slices.Concat(ways, slices.Collect(maps.Keys(specs)))
	for _, w := range o.ways {
		o.apply(t, w.slice(ready(o.pods...)))
	}
	o.limpet = o.start(t)
	return o
}

// applyPolicy applies the settings to the Service of a way.
func (o *open) applyPolicy(t *testing.T, w way, spec v1alpha1.AffinityPolicySpec) {
	t.Helper()
	p := w.policy()
	spec.TargetRefs = p.Spec.TargetRefs
	p.Spec = spec
	o.apply(t, p)
}

func policyOf(methods ...v1alpha1.Method) v1alpha1.AffinityPolicySpec {
	return v1alpha1.AffinityPolicySpec{Methods: methods}
}

// setPods changes the endpoints of some Services, and waits until Limpet has heard of it.
func (o *open) setPods(t *testing.T, pods []podState, pools ...way) {
	t.Helper()
	for _, w := range pools {
		o.apply(t, w.slice(pods))
	}
	o.limpet.awaitEndpoints(t, pods, pools...)
}

// restart ends the Limpet and starts another one, with other keys.
func (o *open) restart(t *testing.T, keys string) {
	t.Helper()
	o.limpet.stop()
	o.keys = keys
	o.limpet = o.start(t)
}

// awaitStatus waits until a host responds with a status, and so until what was written before is served too.
func (o *open) awaitStatus(t *testing.T, w way, path string, status int) {
	t.Helper()
	probe := newSessions(t, w, 0, 1)[0]
	wait.Until(t, fmt.Sprintf("%s%s answers with %d", w.host(), path, status), func() bool {
		a, err := probe.get(o.limpet, path)
		return err == nil && a.status == status
	})
}

// policies applies the same settings to several Services.
func policies(spec v1alpha1.AffinityPolicySpec, all ...way) map[way]v1alpha1.AffinityPolicySpec {
	specs := map[way]v1alpha1.AffinityPolicySpec{}
	for _, w := range all {
		specs[w] = spec
	}
	return specs
}

func cookieNamed(name string) *v1alpha1.Cookie { return &v1alpha1.Cookie{Name: name} }
