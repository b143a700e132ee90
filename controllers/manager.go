package controllers

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// newManager returns a manager without metrics, health probes and leader election: pkg/admin and leader provide
// these.
func newManager(o *Options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return ctrl.NewManager(o.Config, ctrl.Options{
		Scheme:                 scheme,
		Logger:                 o.Log,
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Secret{}: secretCache(o),
				podMetadata():    {Transform: stripPod},
			},
		},
	})
}

// secretCache configures which Secrets are cached and which of their data is kept.
func secretCache(o *Options) cache.ByObject {
	by := cache.ByObject{Field: secretSelector, Transform: stripSecrets(o.keySecret())}
	if o.SecretNamespaces == nil {
		return by
	}
	by.Namespaces = map[string]cache.Config{o.Namespace: {}}
	for _, namespace := range o.SecretNamespaces {
		by.Namespaces[namespace] = cache.Config{}
	}
	return by
}

// secretSelector excludes, in the API server, Secret types that hold neither certificates nor affinity keys.
// Clusters may have thousands of them, some of 1 MB.
var secretSelector = fields.ParseSelectorOrDie("type!=helm.sh/release.v1" +
	",type!=" + string(corev1.SecretTypeServiceAccountToken) +
	",type!=" + string(corev1.SecretTypeDockerConfigJson) +
	",type!=" + string(corev1.SecretTypeDockercfg) +
	",type!=" + string(corev1.SecretTypeBootstrapToken))

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
		Labels: pod.Labels, Annotations: pod.Annotations,
	}
	return pod, nil
}

// stripSecrets reduces the memory of the cache: it keeps only certificates, their private keys and CAs, and the
// Secret with the affinity keys.
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
		for name := range secret.Data {
			if name != corev1.TLSCertKey && name != corev1.TLSPrivateKeyKey && name != translate.KeyCA {
				delete(secret.Data, name)
			}
		}
		return secret, nil
	}
}
