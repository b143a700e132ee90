package main

import "github.com/limpet-dev/limpet/pkg/translate"

// nginxOptions are the flags for Ingresses that were written for ingress-nginx. run, dev, demo and check share them.
type nginxOptions struct {
	defaults bool
}

func (n *nginxOptions) register(f flagSet) {
	f.BoolVar(&n.defaults, "nginx-defaults", true, "Whether Ingresses of a class of ingress-nginx have its implicit settings: the"+
		" redirect to HTTPS, HSTS, a limit of 1 MiB for request bodies, and its timeouts. The annotation"+
		" limpet.dev/nginx-defaults: \"false\" turns them off for one Ingress.")
}

// apply sets the options of translation.
func (n *nginxOptions) apply(o *translate.Options) {
	if n.defaults {
		defaults := translate.DefaultNginx()
		o.Nginx = &defaults
	}
}
