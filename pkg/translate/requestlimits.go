package translate

import (
	"slices"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that limit concurrent requests. A policy with spec.circuitBreaker takes precedence.
const (
	// AnnotationMaxRequests is the maximum of all pods of a backend together.
	AnnotationMaxRequests = annotationPrefix + "max-requests"
	// AnnotationMaxRequestsPerPod is the maximum of each pod.
	AnnotationMaxRequestsPerPod = annotationPrefix + "max-requests-per-pod"
)

// maxRequests bounds the limits.
const maxRequests = 1_000_000

var requestLimitAnnotations = []string{AnnotationMaxRequests, AnnotationMaxRequestsPerPod}

// readRequestLimits returns the limits of the annotations, or nil without any. Invalid annotations are ignored.
func (r *annotationReader) readRequestLimits() *model.RequestLimits {
	return orNil(model.RequestLimits{
		PerPool:     r.readWhole(AnnotationMaxRequests, 1, maxRequests, 0),
		PerEndpoint: r.readWhole(AnnotationMaxRequestsPerPod, 1, maxRequests, 0),
	})
}

// orNil returns nil if l sets no limit.
func orNil(l model.RequestLimits) *model.RequestLimits {
	if l == (model.RequestLimits{}) {
		return nil
	}
	return &l
}

// setRequestLimits sets the limits of the annotations, unless the policy of the backend has limits.
func (b *builder) setRequestLimits(t *translation, backend *model.Backend) {
	if t.requests == nil {
		return
	}
	if backend.Affinity == nil || backend.Affinity.RequestLimits == nil {
		backend.RequestLimits = t.requests
		return
	}
	i := slices.IndexFunc(requestLimitAnnotations, func(key string) bool { _, set := t.annotations[key]; return set })
	key := requestLimitAnnotations[i]
	b.reports.add(t.ref, ReasonNoEffect, annotationField(key),
		"annotation %s has no effect on %s, because the policy of the backend sets spec.circuitBreaker", key, backend.Pool)
}

// requestLimits returns the limits of a policy, or nil without any.
func (c *compiler) requestLimits(in *v1alpha1.CircuitBreaker) *model.RequestLimits {
	c.checkMaxRequests("circuitBreaker.maxRequests", in.MaxRequests)
	c.checkMaxRequests("circuitBreaker.maxRequestsPerEndpoint", in.MaxRequestsPerEndpoint)
	return orNil(model.RequestLimits{PerPool: in.MaxRequests, PerEndpoint: in.MaxRequestsPerEndpoint})
}

func (c *compiler) checkMaxRequests(field string, value int32) {
	if value < 0 || value > maxRequests {
		c.invalid(field, "%d must be from 0 to %d", value, maxRequests)
	}
}
