// Package ingressnginx is a model of the cookie affinity of ingress-nginx, for tests of migrations in both directions.
//
// It follows rootfs/etc/nginx/lua/balancer/sticky.lua, sticky_balanced.lua and sticky_persistent.lua and util/nodemap.lua of
// ingress-nginx, and lib/resty/chash.lua of lua-resty-balancer. It shares no code with Limpet, so that tests compare two
// independent readings of these files.
package ingressnginx
