package controllers

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
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

// podMetadata returns an empty object with the metadata of a pod.
func podMetadata() *metav1.PartialObjectMetadata {
	pod := &metav1.PartialObjectMetadata{}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return pod
}

// namespaceMetadata returns an empty object that makes the cache watch namespaces as metadata only.
func namespaceMetadata() *metav1.PartialObjectMetadata {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return namespace
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
