package main

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// nginxOptions are the flags for Ingresses that were written for ingress-nginx. run, dev, demo, check and explain share them.
type nginxOptions struct {
	defaults       bool
	configMap      objectName
	unenforced     list
	defaultBackend objectName
}

func (n *nginxOptions) register(f flagSet) {
	f.BoolVar(&n.defaults, "nginx-defaults", true, "Whether Ingresses of a class of ingress-nginx have its implicit settings: the"+
		" redirect to HTTPS, HSTS, a limit of 1 MiB for request bodies, and its timeouts. The annotation"+
		" limpet.dev/nginx-defaults: \"false\" turns them off for one Ingress.")
	f.Var(&n.configMap, "nginx-configmap", "The ConfigMap of the controller of ingress-nginx, as `namespace/name`. Its settings"+
		" apply to Ingresses of a class of ingress-nginx. While it does not exist, their routes respond 503.")
	f.Var(&n.unenforced, "nginx-unenforced-keys", "The comma-separated `keys` of --nginx-configmap whose protection you waive, such"+
		" as enable-modsecurity. Otherwise routes respond 503 if this version does not enforce it.")
	f.Var(&n.defaultBackend, "default-backend-service", "The Service, as `namespace/name`, whose first port gets the requests that"+
		" no route matches, and provides the error pages of Ingresses without a default-backend of their own. If empty, these requests"+
		" get a 404.")
}

// validate checks what the flags themselves do not.
func (n *nginxOptions) validate() error {
	if len(n.unenforced.values) > 0 && n.configMap.Name == "" {
		return usagef("--nginx-unenforced-keys requires --nginx-configmap")
	}
	return nil
}

// apply sets the options of translation.
func (n *nginxOptions) apply(o *translate.Options) {
	if n.defaults {
		defaults := translate.DefaultNginx()
		o.Nginx = &defaults
	}
	o.NginxConfigMap, o.NginxUnenforced = types.NamespacedName(n.configMap), n.unenforced.values
	o.DefaultBackend = types.NamespacedName(n.defaultBackend)
}
