package translate

import (
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// resolve gives the backend of a route, nil where there is none to be had: the Problem says why.
func (b *builder) resolve(s *source, backend *networkingv1.IngressBackend, field string) *model.Backend {
	if backend.Service == nil {
		b.refuseBackend(s, backend, field)
		return nil
	}
	pool, ok := b.pool(s, backend.Service, field+".service")
	if !ok {
		return nil
	}
	transport, ok := b.transport(s, pool.ID)
	if !ok {
		return nil
	}
	b.pools[pool.ID] = pool
	return &model.Backend{Pool: pool.ID, Weight: 1, Transport: transport, Affinity: b.backendAffinity(s, pool.ID, field+".service")}
}

func (b *builder) refuseBackend(s *source, backend *networkingv1.IngressBackend, field string) {
	if r := backend.Resource; r != nil {
		b.reports.add(s.ref, ReasonUnsupportedBackend, field+".resource",
			"%s %s cannot be a backend: only a Service can. %s", quote(r.Kind), quote(r.Name), s.without())
		return
	}
	b.reports.add(s.ref, ReasonUnsupportedBackend, field, "the backend names no Service. %s", s.without())
}
