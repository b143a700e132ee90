package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// SnapshotReader reads the objects of a cluster once, without writing anything. It reads no Secrets, EndpointSlices and pods.
type SnapshotReader struct {
	// Config is the client configuration for the API server. Required.
	Config *rest.Config
	// Namespaces are the namespaces to read. Empty means all.
	Namespaces []string
	// PageSize is the maximum number of objects in one response of the API server. Zero means 500.
	PageSize int64

	client client.Client
}

const defaultPageSize = 500

// Read lists the objects. It returns the kinds that could not be read, because the cluster does not have them, or because the
// user may not list them, with the reason.
func (r *SnapshotReader) Read(ctx context.Context) (w *translate.Snapshot, unread []string, err error) {
	if r.client, err = newReader(r.Config); err != nil {
		return nil, nil, err
	}
	w = &translate.Snapshot{Now: time.Now()}
	for _, kind := range r.kinds(ctx, w) {
		for _, namespace := range r.scopes(kind.isClustered) {
			err := kind.read(namespace)
			isOptional := meta.IsNoMatchError(err) || apierrors.IsNotFound(err) || apierrors.IsForbidden(err)
			if err != nil && (kind.isRequired || !isOptional) {
				return nil, nil, fmt.Errorf("listing %s: %w", kind.name, err)
			}
			if err != nil {
				unread = append(unread, fmt.Sprintf("%s: %v", kind.name, err))
			}
		}
	}
	return w, unread, nil
}

// listedKind is a kind of object that is listed.
type listedKind struct {
	name                    string
	isRequired, isClustered bool
	read                    func(namespace string) error
}

// kinds returns the kinds to list, which are read into w.
func (r *SnapshotReader) kinds(ctx context.Context, w *translate.Snapshot) []listedKind {
	return []listedKind{
		{"Ingresses", true, false, func(in string) error {
			return readInto(ctx, r, in, &networkingv1.IngressList{}, &w.Ingresses)
		}},
		{"Services", true, false, func(in string) error { return readInto(ctx, r, in, &corev1.ServiceList{}, &w.Services) }},
		{"AffinityPolicies", false, false, func(in string) error {
			return readInto(ctx, r, in, &v1alpha1.AffinityPolicyList{}, &w.Policies)
		}},
		{"IngressClasses", false, true, func(in string) error {
			return readInto(ctx, r, in, &networkingv1.IngressClassList{}, &w.IngressClasses)
		}},
		{"namespaces", false, true, func(in string) error { return readInto(ctx, r, in, namespaceList(), &w.Namespaces) }},
	}
}

// scopes returns the namespaces in which to list a kind. "" means all.
func (r *SnapshotReader) scopes(isClustered bool) []string {
	if isClustered || len(r.Namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return r.Namespaces
}

// ReadObject adds an object to a Snapshot of Read, if it exists and is of a kind that Read does not list: a ConfigMap, or a
// Service of another namespace. It ignores other objects.
func (r *SnapshotReader) ReadObject(ctx context.Context, w *translate.Snapshot, ref model.Ref) error {
	name := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	var err error
	switch {
	case ref.Kind == model.KindConfigMap:
		object := &corev1.ConfigMap{}
		if err = r.client.Get(ctx, name, object); err == nil {
			w.ConfigMaps = append(w.ConfigMaps, object)
		}
	case ref.Kind == model.KindService && len(r.Namespaces) > 0 && !slices.Contains(r.Namespaces, ref.Namespace):
		object := &corev1.Service{}
		if err = r.client.Get(ctx, name, object); err == nil {
			w.Services = append(w.Services, object)
		}
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("reading %s: %w", ref, err)
	}
	return nil
}

func newReader(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return client.New(config, client.Options{Scheme: scheme})
}

func namespaceList() *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	return list
}

// readInto lists the objects of a kind in pages. If the list changes so much that the next page is no longer available, it
// begins again, once.
func readInto[T any](ctx context.Context, r *SnapshotReader, namespace string, list client.ObjectList, to *[]*T) error {
	size := r.PageSize
	if size == 0 {
		size = defaultPageSize
	}
	before := len(*to)
	for restarts := 0; ; {
		err := r.client.List(ctx, list, client.InNamespace(namespace), client.Limit(size), client.Continue(list.GetContinue()))
		if apierrors.IsResourceExpired(err) && restarts == 0 {
			restarts++
			*to = (*to)[:before]
			list.SetContinue("")
			continue
		}
		if err != nil {
			return err
		}
		if err := meta.EachListItem(list, func(item runtime.Object) error {
			copied, _ := item.DeepCopyObject().(any).(*T)
			*to = append(*to, copied)
			return nil
		}); err != nil {
			return err
		}
		if list.GetContinue() == "" {
			return nil
		}
	}
}
