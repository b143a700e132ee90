package controllers

import (
	"cmp"
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/publish"
)

// mirrors holds the objects from which endpoints are made.
type mirrors struct {
	pods   *mirror[cachedPod]
	slices *mirror[cachedSlice]
	index  sliceIndex // of slices
}

// newMirrors returns mirrors that are filled by a number of reflectors for each kind.
func newMirrors(reflectors int) *mirrors {
	m := &mirrors{pods: newMirror[cachedPod](reflectors), slices: newMirror[cachedSlice](reflectors)}
	m.slices.index = m.index.replace
	return m
}

// source returns what the Publisher reads.
func (m *mirrors) source() publish.EndpointSource {
	return publish.EndpointSource{
		Slices: m.index.slicesOf,
		Pods: func(namespace, name string) *metav1.PartialObjectMetadata {
			return m.pods.get(types.NamespacedName{Namespace: namespace, Name: name}).object()
		},
	}
}

// waitForSync waits for the first lists.
func (m *mirrors) waitForSync(ctx context.Context) error {
	return cmp.Or(m.pods.waitForSync(ctx), m.slices.waitForSync(ctx))
}
