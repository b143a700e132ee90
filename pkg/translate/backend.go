package translate

import "github.com/limpet-dev/limpet/pkg/model"

// resolveAll returns the backends of a rule that can be resolved, and reports the others. The requests of the others go to
// the remaining backends.
func (b *builder) resolveAll(t *translation, rule *ruleDescription) []model.Backend {
	var out []model.Backend
	for i := range rule.backends {
		if backend := b.resolve(t, &rule.backends[i]); backend != nil {
			setCookiePath(backend, rule.path)
			out = append(out, *backend)
		}
	}
	return out
}

// resolve returns the backend of a route. It returns nil and reports a Problem if the backend cannot be resolved.
func (b *builder) resolve(t *translation, backend *backendDescription) *model.Backend {
	if backend.problem != nil {
		b.reports.addProblem(t.ref, *backend.problem)
		return nil
	}
	pool, ok := b.pool(t.description, backend)
	if !ok {
		return nil
	}
	transport, ok := b.transport(t, pool.ID)
	if !ok {
		return nil
	}
	b.useService(t, &pool)
	b.pools[pool.ID] = pool
	affinity := b.backendAffinity(t, pool.ID, backend.serviceField)
	nameNginxBackend(affinity, pool.ID, backend.port)
	b.reportWishes(t, backend, affinity)
	if pool.ID.IsService && affinity != nil {
		b.reportNoAffinity(t, pool.ID)
		affinity = nil
	}
	out := &model.Backend{
		Pool: pool.ID, Weight: backend.weight, Transport: transport, Affinity: affinity,
		Reserved: b.lookups.handoffHeaders(pool.ID.Namespace),
	}
	b.distribute(t, out)
	b.setEjection(t, out)
	b.setRequestLimits(t, out)
	return out
}

// plainBackend returns a backend without stickiness.
func (b *builder) plainBackend(pool model.PoolID) *model.Backend {
	return &model.Backend{
		Pool: pool, Weight: 1, Transport: appProtocols[b.appProtocol(pool)], Reserved: b.lookups.handoffHeaders(pool.Namespace),
	}
}

// distribute sets how requests without stickiness are distributed.
func (b *builder) distribute(t *translation, backend *model.Backend) {
	switch settings := &t.affinity; {
	case backend.Affinity == nil:
		backend.Balance = settings.balance
	case settings.ownBalance:
		b.reports.add(t.ref, ReasonNoEffect, annotationField(AnnotationLoadBalance),
			"annotation %s has no effect on %s, because sessions decide which pod gets a request", AnnotationLoadBalance, backend.Pool)
	}
}
