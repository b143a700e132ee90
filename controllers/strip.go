package controllers

import (
	"maps"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/htpasswd"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// The functions below reduce the memory of the cache. The cache calls them before it stores an object. What they remove is
// never read, and is not written either: updates of status are patches of the status only.

// stripMetadata removes the managed fields, and the copy of the object that kubectl apply adds.
func stripMetadata(object any) (any, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return object, nil //nolint:nilerr // a tombstone
	}
	accessor.SetManagedFields(nil)
	if annotations := accessor.GetAnnotations(); annotations[corev1.LastAppliedConfigAnnotation] != "" {
		delete(annotations, corev1.LastAppliedConfigAnnotation)
		accessor.SetAnnotations(annotations)
	}
	return object, nil
}

// stripSlice keeps only the fields from which translate.Endpoints makes endpoints.
func stripSlice(object any) (any, error) {
	slice, ok := object.(*discoveryv1.EndpointSlice)
	if !ok {
		return object, nil // a tombstone
	}
	slice.ObjectMeta = metav1.ObjectMeta{
		Namespace: slice.Namespace, Name: slice.Name, UID: slice.UID, ResourceVersion: slice.ResourceVersion,
		Labels: map[string]string{discoveryv1.LabelServiceName: slice.Labels[discoveryv1.LabelServiceName]},
	}
	zones := map[string]*string{} // most endpoints are in one of a few zones
	for i := range slice.Endpoints {
		stripEndpoint(&slice.Endpoints[i], zones)
	}
	return slice, nil
}

func stripEndpoint(e *discoveryv1.Endpoint, zones map[string]*string) {
	e.Hostname, e.NodeName, e.DeprecatedTopology = nil, nil, nil
	if e.Zone != nil {
		if zones[*e.Zone] == nil {
			zones[*e.Zone] = e.Zone
		}
		e.Zone = zones[*e.Zone]
	}
	if ref := e.TargetRef; ref != nil {
		e.TargetRef = &corev1.ObjectReference{Kind: unique.Make(ref.Kind).Value(), Name: ref.Name, UID: ref.UID}
	}
}

// interned returns a map with the same content, whose strings share memory with equal strings of other objects.
func interned(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, value := range m {
		out[unique.Make(key).Value()] = unique.Make(value).Value()
	}
	return out
}

// stripPod reduces the memory of the cache: it keeps only the labels and short annotations of a pod. All labels are
// kept, because a policy may reference any of them later.
func stripPod(object any) (any, error) {
	pod, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil // a tombstone
	}
	maps.DeleteFunc(pod.Annotations, func(_, value string) bool { return len(value) > translate.MaxPodValue })
	pod.ObjectMeta = metav1.ObjectMeta{
		Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, ResourceVersion: pod.ResourceVersion,
		Labels: interned(pod.Labels), Annotations: interned(pod.Annotations),
	}
	return pod, nil
}

// stripNamespace keeps only the name of a namespace and whether it is being deleted.
func stripNamespace(object any) (any, error) {
	namespace, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil // a tombstone
	}
	namespace.ObjectMeta = metav1.ObjectMeta{
		Name: namespace.Name, UID: namespace.UID, ResourceVersion: namespace.ResourceVersion,
		DeletionTimestamp: namespace.DeletionTimestamp,
	}
	return namespace, nil
}

// keptInSecrets are the keys of Secrets that translation may read.
var keptInSecrets = map[string]bool{
	corev1.TLSCertKey: true, corev1.TLSPrivateKeyKey: true, translate.KeyCA: true, translate.KeyCRL: true, translate.KeyUsers: true,
}

// stripSecrets reduces the memory of the cache: it keeps only certificates, their private keys and CAs, lists of users, and the
// Secret with the affinity keys. A user of a list may be a key of its own, with a password hash as its value.
func stripSecrets(keep types.NamespacedName) func(any) (any, error) {
	return func(object any) (any, error) {
		secret, ok := object.(*corev1.Secret)
		if !ok {
			return object, nil // a tombstone
		}
		secret.ManagedFields = nil
		if secret.Namespace == keep.Namespace && secret.Name == keep.Name {
			return secret, nil
		}
		delete(secret.Annotations, corev1.LastAppliedConfigAnnotation) // has all data again
		for name, value := range secret.Data {
			if !keptInSecrets[name] && !htpasswd.IsHash(value) {
				delete(secret.Data, name)
			}
		}
		return secret, nil
	}
}

// stripConfigMaps reduces the memory of the cache: it removes the contents of files, and truncates values that are too long to be
// applied. The keys remain, so that translation can report them. The data of one ConfigMap is kept, whose lists may be long.
func stripConfigMaps(keep types.NamespacedName) func(any) (any, error) {
	return func(object any) (any, error) {
		configMap, ok := object.(*corev1.ConfigMap)
		if !ok {
			return object, nil // a tombstone
		}
		configMap.ObjectMeta = metav1.ObjectMeta{
			Namespace: configMap.Namespace, Name: configMap.Name, UID: configMap.UID, ResourceVersion: configMap.ResourceVersion,
		}
		configMap.BinaryData = nil
		if configMap.Namespace != keep.Namespace || configMap.Name != keep.Name {
			stripData(configMap.Data)
		}
		return configMap, nil
	}
}

func stripData(data map[string]string) {
	for key, value := range data {
		switch {
		case !translate.ReadsConfigMapKey(key):
			data[key] = ""
		case len(value) > translate.MaxConfigMapValue:
			data[key] = strings.Clone(value[:translate.MaxConfigMapValue+1])
		}
	}
}
