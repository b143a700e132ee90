package controllers

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/limpet-dev/limpet/api/v1alpha1"
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
		Cache:                  cacheOptions(o),
	})
}

// cacheOptions configures which objects are cached, and what of them.
func cacheOptions(o *Options) cache.Options {
	out := cache.Options{
		DefaultTransform: stripMetadata,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}:    secretCache(o),
			&corev1.ConfigMap{}: {Field: configMapSelector, Transform: stripConfigMaps(o.NginxConfigMap)},
		},
	}
	if o.WatchNamespaces == nil {
		out.ByObject[namespaceMetadata()] = cache.ByObject{Transform: stripNamespace}
		return out
	}
	out.DefaultNamespaces = namespaceSet(o.readNamespaces()...)
	served := namespaceSet(o.WatchNamespaces...) // Limpet's own namespace may have Ingresses of others
	out.ByObject[&networkingv1.Ingress{}] = cache.ByObject{Namespaces: served}
	out.ByObject[&v1alpha1.AffinityPolicy{}] = cache.ByObject{Namespaces: served}
	return out
}

// readNamespaces returns the namespaces whose Services, EndpointSlices and pods are read. An empty name means all.
func (o *Options) readNamespaces() []string {
	if o.WatchNamespaces == nil {
		return []string{""}
	}
	names := append(slices.Clone(o.WatchNamespaces), o.Namespace)
	slices.Sort(names)
	return slices.Compact(names)
}

func namespaceSet(names ...string) map[string]cache.Config {
	out := map[string]cache.Config{}
	for _, name := range names {
		out[name] = cache.Config{}
	}
	return out
}

// secretCache configures which Secrets are cached and which of their data is kept.
func secretCache(o *Options) cache.ByObject {
	by := cache.ByObject{Field: secretSelector, Transform: stripSecrets(o.keySecret())}
	if o.SecretNamespaces == nil {
		return by
	}
	by.Namespaces = namespaceSet(append(slices.Clone(o.SecretNamespaces), o.Namespace)...)
	return by
}

// secretSelector excludes, in the API server, Secret types that hold neither certificates nor affinity keys.
// Clusters may have thousands of them, some of 1 MB.
var secretSelector = fields.ParseSelectorOrDie("type!=helm.sh/release.v1" +
	",type!=" + string(corev1.SecretTypeServiceAccountToken) +
	",type!=" + string(corev1.SecretTypeDockerConfigJson) +
	",type!=" + string(corev1.SecretTypeDockercfg) +
	",type!=" + string(corev1.SecretTypeBootstrapToken))

// configMapSelector excludes, in the API server, the ConfigMaps with CA certificates that exist in every namespace.
var configMapSelector = fields.ParseSelectorOrDie("metadata.name!=kube-root-ca.crt" +
	",metadata.name!=openshift-service-ca.crt" +
	",metadata.name!=istio-ca-root-cert")
