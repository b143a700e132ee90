package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// listSnapshot returns the objects that a table is built from. They are not copied from the cache, so callers must
// not modify them.
func listSnapshot(ctx context.Context, reader client.Reader) (*translate.Snapshot, error) {
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
	snapshot := &translate.Snapshot{
		Ingresses:      pointers(ingresses.Items),
		IngressClasses: pointers(classes.Items),
		Services:       pointers(services.Items),
		Secrets:        pointers(secrets.Items),
		Policies:       pointers(policies.Items),
		Now:            time.Now(),
	}
	if err := listNamedPods(ctx, reader, snapshot); err != nil {
		return nil, err
	}
	return snapshot, listUnknownDrains(ctx, reader, snapshot)
}

// listUnknownDrains adds the pods whose drain annotation has an unknown value, so that it is reported.
func listUnknownDrains(ctx context.Context, reader client.Reader, w *translate.Snapshot) error {
	pods := metav1.PartialObjectMetadataList{TypeMeta: podMetadata().TypeMeta}
	where := client.MatchingFields{byUnknownDrain: "true"}
	if err := reader.List(ctx, &pods, where, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("listing pods with an unknown drain annotation: %w", err)
	}
	for _, pod := range pointers(pods.Items) {
		isListed := func(p *metav1.PartialObjectMetadata) bool { return p.Namespace == pod.Namespace && p.Name == pod.Name }
		if !slices.ContainsFunc(w.Pods, isListed) {
			w.Pods = append(w.Pods, pod)
		}
	}
	return nil
}

// listNamedPods adds the EndpointSlices and pods that are needed to check policies which name pods by a label or
// annotation, or which have a group. The endpoints that are served come from publish, not from here.
func listNamedPods(ctx context.Context, reader client.Reader, w *translate.Snapshot) error {
	for _, namespace := range namespacesNamingPods(w.Policies) {
		var endpointSlices discoveryv1.EndpointSliceList
		pods := metav1.PartialObjectMetadataList{TypeMeta: podMetadata().TypeMeta}
		for _, list := range []client.ObjectList{&endpointSlices, &pods} {
			if err := reader.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
				return fmt.Errorf("listing %T in %s: %w", list, namespace, err)
			}
		}
		w.EndpointSlices = append(w.EndpointSlices, pointers(endpointSlices.Items)...)
		w.Pods = append(w.Pods, pointers(pods.Items)...)
	}
	return nil
}

// namespacesNamingPods returns the namespaces with a policy that names pods by a label or annotation, or has a group.
func namespacesNamingPods(policies []*v1alpha1.AffinityPolicy) []string {
	var namespaces []string
	for _, p := range policies {
		if p.Spec.Group != "" {
			namespaces = append(namespaces, p.Namespace)
		}
		for i := range p.Spec.Methods {
			if n := p.Spec.Methods[i].Named; n != nil && n.Key != "" {
				namespaces = append(namespaces, p.Namespace)
			}
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// pointers returns a pointer to each item.
func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}
