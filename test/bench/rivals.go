package main

import (
	"fmt"
	"net"
	"strings"
)

// rivals are the proxies, set up for the same work: stickiness by a cookie, keep-alive on both sides, the same fields
// about the client added, no access log.
func rivals(s settings, pods []string) []rival {
	all := []rival{limpet("limpet", s.limpet, pods), nginx(pods), haproxy(pods), relay(pods)}
	if s.baseline != "" {
		all = append(all, limpet("baseline", s.baseline, pods))
	}
	return all
}

func limpet(name, binary string, pods []string) rival {
	return rival{
		name:    name,
		version: []string{binary, "version"},
		files:   map[string]string{"manifests/cart.yaml": limpetManifests(pods)},
		command: []string{binary, "dev", "--manifests", "{dir}/manifests", "--http-addr", "{address}",
			"--https-addr=", "--admin-addr=", "--access-log=false"},
	}
}

func limpetManifests(pods []string) string {
	var b strings.Builder
	b.WriteString(`
apiVersion: v1
kind: Service
metadata: {name: cart}
spec:
  ports: [{name: http, port: 80}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: cart
  annotations: {limpet.dev/affinity: cookie}
spec:
  rules:
  - http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: cart, port: {number: 80}}}
`)
	for i, pod := range pods {
		host, port, _ := net.SplitHostPort(pod)
		fmt.Fprintf(&b, `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: cart-%[1]d, labels: {kubernetes.io/service-name: cart}}
addressType: IPv4
ports: [{name: http, port: %[3]s}]
endpoints:
- addresses: [%[2]q]
  targetRef: {kind: Pod, namespace: default, name: cart-%[1]d, uid: 00000000-0000-0000-0000-00000000000%[1]d}
`, i, host, port)
	}
	return b.String()
}

func nginx(pods []string) rival {
	var servers strings.Builder
	for _, pod := range pods {
		fmt.Fprintf(&servers, "    server %s;\n", pod)
	}
	return rival{
		name:    "nginx",
		version: []string{"nginx", "-v"},
		files: map[string]string{"nginx.conf": `
daemon off;
pid {dir}/nginx.pid;
error_log stderr crit;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir}; uwsgi_temp_path {dir}; scgi_temp_path {dir};
  upstream cart {
    hash $cookie_sid consistent;
` + servers.String() + `    keepalive 128;
    keepalive_requests 100000000;
  }
  server {
    listen {address};
    location / {
      proxy_pass http://cart;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header Forwarded 'for=$remote_addr;host="$http_host";proto=$scheme';
    }
  }
}
`},
		command: []string{"nginx", "-p", "{dir}", "-c", "{dir}/nginx.conf"},
	}
}

const haproxyCommon = `
global
  nbthread 1
  maxconn 4096
defaults
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`

func haproxy(pods []string) rival {
	return rival{
		name:    "haproxy",
		version: []string{"haproxy", "-v"},
		files: map[string]string{"haproxy.cfg": haproxyCommon + `  mode http
  http-reuse always
frontend clients
  bind {address}
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header Forwarded for=%[src];host="%[req.hdr(host)]";proto=http
  default_backend cart
backend cart
  cookie SRV insert indirect nocache
` + haproxyServers(pods, "cookie pod%d")},
		command: []string{"haproxy", "-db", "-f", "{dir}/haproxy.cfg"},
	}
}

// relay is HAProxy passing bytes on blindly: the floor under every proxy.
func relay(pods []string) rival {
	return rival{
		name:    "relay",
		version: []string{"haproxy", "-v"},
		files: map[string]string{"haproxy.cfg": haproxyCommon + `  mode tcp
frontend clients
  bind {address}
  default_backend cart
backend cart
` + haproxyServers(pods, "")},
		command: []string{"haproxy", "-db", "-f", "{dir}/haproxy.cfg"},
	}
}

func haproxyServers(pods []string, options string) string {
	var b strings.Builder
	for i, pod := range pods {
		fmt.Fprintf(&b, "  server pod%d %s", i, pod)
		if options != "" {
			fmt.Fprintf(&b, " "+options, i)
		}
		b.WriteString("\n")
	}
	return b.String()
}
