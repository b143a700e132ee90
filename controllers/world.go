package controllers

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// listWorld gives everything that a table is built from, apart from the EndpointSlices, which publish asks for itself.
// The objects are those of the cache, not copies: whoever gets them only reads them.
func listWorld(ctx context.Context, reader client.Reader) (*translate.World, error) {
	var (
		ingresses networkingv1.IngressList
		classes   networkingv1.IngressClassList
		services  corev1.ServiceList
		secrets   corev1.SecretList
		policies  v1alpha1.AffinityPolicyList
	)
	for _, list := range []client.ObjectList{&ingresses, &classes, &services, &secrets, &policies} {
		if err := reader.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("listing %T: %w", list, err)
		}
	}
	return &translate.World{
		Ingresses:      pointers(ingresses.Items),
		IngressClasses: pointers(classes.Items),
		Services:       pointers(services.Items),
		Secrets:        pointers(secrets.Items),
		Policies:       pointers(policies.Items),
	}, nil
}

func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}

// byService is the index of EndpointSlices by the Service that they belong to.
const byService = "service"

func indexByService(ctx context.Context, c cache.Cache) error {
	return c.IndexField(ctx, &discoveryv1.EndpointSlice{}, byService, func(o client.Object) []string {
		return []string{o.GetLabels()[discoveryv1.LabelServiceName]}
	})
}

// cachedSlices gives the EndpointSlices of a Service from the cache. It is asked only after the cache has synced, so that
// the list cannot fail; should it all the same, that is logged, and the Service has no endpoints until its next event.
func cachedSlices(ctx context.Context, reader client.Reader, log logr.Logger) publish.Slices {
	ctx = context.WithoutCancel(ctx) // while we stop, connections are drained: their endpoints stay what they are
	return func(namespace, service string) []*discoveryv1.EndpointSlice {
		var list discoveryv1.EndpointSliceList
		err := reader.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{byService: service},
			client.UnsafeDisableDeepCopy)
		if err != nil {
			log.Error(err, "EndpointSlices could not be listed", "namespace", namespace, "service", service)
		}
		return pointers(list.Items)
	}
}
