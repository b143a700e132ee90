// Package apps tests Ingresses that people wrote for ingress-nginx: twenty-five applications as their charts and guides
// configure them, served without a change.
//
// For each application, testdata has its manifest, what limpet check prints about it, and requests with what clients and pods
// must see. One limpet process serves all of them, on hosts of their own.
package apps
