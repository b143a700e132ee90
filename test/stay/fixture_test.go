package stay

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// fixture is a folder with the base objects, pods, and a Limpet that serves it.
type fixture struct {
	*folder
	limpet   *limpet
	pods     []*pod
	backends []backend
}

// newFixture starts a Limpet in front of n pods, with a Service, an Ingress and a policy of its own for each of the specs,
// in addition to the base objects.
func newFixture(t *testing.T, n int, specs map[backend]v1alpha1.AffinityPolicySpec) *fixture {
	t.Helper()
	o := &fixture{folder: newFolder(t), pods: startPods(t, n)}
	for _, object := range baseObjects() {
		o.apply(t, object)
	}
	for w, spec := range specs {
		o.apply(t, w.service())
		o.apply(t, w.ingress())
		o.applyPolicy(t, w, spec)
	}
	o.backends = slices.Concat(backends, slices.Collect(maps.Keys(specs)))
	for _, w := range o.backends {
		o.apply(t, w.slice(ready(o.pods...)))
	}
	o.limpet = o.start(t)
	return o
}

// applyPolicy applies the settings to the Service of a backend.
func (o *fixture) applyPolicy(t *testing.T, w backend, spec v1alpha1.AffinityPolicySpec) {
	t.Helper()
	p := w.policy()
	spec.TargetRefs = p.Spec.TargetRefs
	p.Spec = spec
	o.apply(t, p)
}

func policyOf(methods ...v1alpha1.Method) v1alpha1.AffinityPolicySpec {
	return v1alpha1.AffinityPolicySpec{Methods: methods}
}

// setPods changes the endpoints of some Services, and waits until Limpet has applied the change.
func (o *fixture) setPods(t *testing.T, pods []podState, pools ...backend) {
	t.Helper()
	for _, w := range pools {
		o.apply(t, w.slice(pods))
	}
	o.limpet.awaitEndpoints(t, pods, pools...)
}

// restart ends the Limpet and starts another one, with other keys.
func (o *fixture) restart(t *testing.T, keys string) {
	t.Helper()
	o.limpet.stop()
	o.keys = keys
	o.limpet = o.start(t)
}

// awaitStatus waits until a host responds with a status, and so until what was written before is served too.
func (o *fixture) awaitStatus(t *testing.T, w backend, path string, status int) {
	t.Helper()
	probe := newSessions(t, w, 0, 1)[0]
	wait.Until(t, fmt.Sprintf("%s%s responds with %d", w.host(), path, status), func() bool {
		a, err := probe.get(o.limpet, path)
		return err == nil && a.status == status
	})
}

// policies applies the same settings to several Services.
func policies(spec v1alpha1.AffinityPolicySpec, all ...backend) map[backend]v1alpha1.AffinityPolicySpec {
	specs := map[backend]v1alpha1.AffinityPolicySpec{}
	for _, w := range all {
		specs[w] = spec
	}
	return specs
}

func cookieNamed(name string) *v1alpha1.Cookie { return &v1alpha1.Cookie{Name: name} }
