package main

import "github.com/limpet-dev/limpet/pkg/translate"

// nginxOptions are the flags for Ingresses that were written for ingress-nginx. run, dev, demo and check share them.
type nginxOptions struct {
	defaults    bool
	cookies     bool
	passthrough bool
}

func (n *nginxOptions) register(f flagSet) {
	f.BoolVar(&n.defaults, "nginx-defaults", true, "Whether Ingresses of a class of ingress-nginx have its implicit settings: the"+
		" redirect to HTTPS, HSTS, a limit of 1 MiB for request bodies, and its timeouts. The annotation"+
		" limpet.dev/nginx-defaults: \"false\" turns them off for one Ingress.")
	f.BoolVar(&n.cookies, "nginx-cookies", false, "Let ingress-nginx recognize the sessions of cookies that Limpet sets for"+
		" Ingresses with the annotation nginx.ingress.kubernetes.io/affinity, so that clients stay on their pods if you"+
		" return to ingress-nginx."+
		" The cookies then reveal which clients share a pod.")
	f.BoolVar(&n.passthrough, "enable-ssl-passthrough", false, "Whether the annotation nginx.ingress.kubernetes.io/ssl-passthrough"+
		" has an effect. limpet.dev/tls-passthrough needs no flag.")
}

// apply sets the options of translation.
func (n *nginxOptions) apply(o *translate.Options) {
	o.NginxCookies, o.NginxPassthrough = n.cookies, n.passthrough
	if n.defaults {
		defaults := translate.DefaultNginx()
		o.Nginx = &defaults
	}
}
