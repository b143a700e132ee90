// Package nginx tests that Ingresses which were written for ingress-nginx are served without a change.
//
// testdata/apps has twenty-five applications as their charts and guides configure them: the manifest of each, what limpet check
// prints about it, and requests with what clients and pods must see.
//
// testdata/same compares Limpet with nginx itself. nginx.conf has the directives that ingress-nginx renders annotations to,
// written by hand, with the place in its template that each rests on (rootfs/etc/nginx/template/nginx.tmpl, release 1.15).
// ingresses.yaml has the Ingresses that they come from. Each request of requests.yaml is sent to both, and clients and pods
// must see the same. Where Limpet differs on purpose, the request has the difference and the reason.
package nginx
