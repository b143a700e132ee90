package translate

import (
	"net/netip"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// nameServiceUpstream is the name of the annotations that send requests to the address of a Service instead of its pods.
const nameServiceUpstream = "service-upstream"

// AnnotationServiceUpstream is true if the cluster chooses the pod.
const AnnotationServiceUpstream = annotationPrefix + nameServiceUpstream

// useService replaces the pods of a pool by the address of its Service, if the object requests it. As in ingress-nginx, a
// headless Service keeps its pods. So does a Service of a file, which has no address until a cluster assigns one.
func (b *builder) useService(t *translation, pool *model.Pool) {
	key := t.transport.toService
	if key == "" || pool.ExternalName != "" {
		return
	}
	service := b.lookups.service(types.NamespacedName{Namespace: pool.ID.Namespace, Name: pool.ID.Service})
	if service.Spec.ClusterIP == "" {
		return
	}
	address, err := netip.ParseAddr(service.Spec.ClusterIP)
	if err != nil || address.IsUnspecified() || address.IsLoopback() || address.IsMulticast() || address.IsLinkLocalUnicast() {
		b.reports.add(t.ref, ReasonNoEffect, annotationField(key),
			"annotation %s has no effect on %s, which has no cluster IP: its pods receive the requests", key, pool.ID)
		return
	}
	pool.ID.IsService, pool.ClusterIP = true, address.String()
}

// reportNoAffinity reports that stickiness has no effect, because the cluster chooses the pod.
func (b *builder) reportNoAffinity(t *translation, pool model.PoolID) {
	b.reports.add(t.ref, ReasonNoEffect, annotationField(t.transport.toService),
		"sessions of %s do not stay on their pods, because annotation %s lets the cluster choose the pod of each connection",
		pool, t.transport.toService)
}
