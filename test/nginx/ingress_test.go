package nginx

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
)

// plainIngresses have the rules of networking.k8s.io/v1, as the documentation of Kubernetes states them, without anything of
// ingress-nginx. Each Service has one pod with the same name.
const plainIngresses = `
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: limpet}, spec: {controller: limpet.dev/ingress}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: paths, namespace: default}
spec:
  ingressClassName: limpet
  rules:
  - host: paths.test
    http:
      paths:
      - {path: /exact, pathType: Exact, backend: {service: {name: exact, port: {number: 80}}}}
      - {path: /prefix, pathType: Prefix, backend: {service: {name: prefix, port: {name: http}}}}
      - {path: /prefix/longer/, pathType: Prefix, backend: {service: {name: longer, port: {number: 80}}}}
      - {path: /both, pathType: Prefix, backend: {service: {name: prefix, port: {number: 80}}}}
      - {path: /both, pathType: Exact, backend: {service: {name: exact, port: {number: 80}}}}
      - {path: /any, pathType: ImplementationSpecific, backend: {service: {name: any, port: {number: 80}}}}
  - host: "*.wild.test"
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: prefix, port: {number: 80}}}}]}
  - host: named.wild.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: exact, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: default, namespace: default}
spec:
  ingressClassName: limpet
  defaultBackend: {service: {name: fallback, port: {number: 80}}}
  rules:
  - host: fallback.test
    http: {paths: [{path: /own, pathType: Prefix, backend: {service: {name: exact, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: other-class, namespace: default}
spec:
  ingressClassName: other
  rules:
  - host: other.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: exact, port: {number: 80}}}}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: secure, namespace: default}
spec:
  ingressClassName: limpet
  tls: [{hosts: [secure.test], secretName: secure}]
  rules:
  - host: secure.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: exact, port: {number: 80}}}}]}
`

// ownService returns a Service whose pods are at these addresses.
func ownService(name string, addresses ...string) string {
	return fmt.Sprintf(`---
{apiVersion: v1, kind: Service, metadata: {name: %[1]s, namespace: default}, spec: {ports: [{name: http, port: 80}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s, namespace: default, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[2]s}]
endpoints: [{addresses: [%[3]s]}]
`, name, clearPort, strings.Join(addresses, "]}, {addresses: ["))
}

func TestIngress_rules(t *testing.T) {
	manifest := plainIngresses
	for i, name := range []string{"exact", "prefix", "longer", "any", "fallback"} {
		address := fmt.Sprintf("10.250.0.%d", 61+i)
		startPod(t, address, pod(name))
		manifest += ownService(name, address)
	}
	cert, key := keyPair(t, "secure.test")
	manifest += fmt.Sprintf(`---
{apiVersion: v1, kind: Secret, metadata: {name: secure, namespace: default}, type: kubernetes.io/tls, data: {tls.crt: %s, tls.key: %s}}
`, base64.StdEncoding.EncodeToString(cert), base64.StdEncoding.EncodeToString(key))
	l := serve(t, []string{"--ingress-class", "limpet"}, manifest)

	for url, want := range map[string]string{
		"http://paths.test/exact":          "exact",
		"http://paths.test/prefix":         "prefix",
		"http://paths.test/prefix/":        "prefix",
		"http://paths.test/prefix/x?q=1":   "prefix",
		"http://paths.test/prefix/longer":  "longer",
		"http://paths.test/prefix/longer/": "longer",
		"http://paths.test/both":           "exact",
		"http://paths.test/both/x":         "prefix",
		"http://paths.test/any/x":          "any",
		"http://a.wild.test/":              "prefix",
		"http://A.Wild.Test:8080/":         "prefix",
		"http://named.wild.test/":          "exact",
		"http://fallback.test/own/x":       "exact",
		"https://secure.test/":             "exact",

		// The default backend of an Ingress serves all requests without a rule.
		"http://fallback.test/":          "fallback",
		"http://paths.test/exact/":       "fallback",
		"http://paths.test/Exact":        "fallback",
		"http://paths.test/prefixes":     "fallback",
		"http://wild.test/":              "fallback",
		"http://a.b.wild.test/":          "fallback",
		"http://other.test/":             "fallback", // another class
		"http://not-named-anywhere.test": "fallback",
	} {
		if got := parseSeen(t, send(t, l.client, &request{URL: url}, nil).body).Pod; got != want {
			t.Errorf("%s: the pod of %q responded, want %q", url, got, want)
		}
	}
	block, _ := pem.Decode(cert)
	if !bytes.Equal(servedCertificate(t, "secure.test"), block.Bytes) {
		t.Error("secure.test is not served with the certificate of its Secret")
	}
	if bytes.Equal(servedCertificate(t, "paths.test"), block.Bytes) {
		t.Error("another host is served with the certificate of secure.test")
	}
}

// Without stickiness, each of ten pods gets a share of the requests.
func TestIngress_tenPods(t *testing.T) {
	var addresses []string
	for i := range 10 {
		address := fmt.Sprintf("10.250.0.%d", 41+i)
		startPod(t, address, pod(address))
		addresses = append(addresses, address)
	}
	l := serve(t, []string{"--ingress-class", "limpet"}, `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ten, namespace: default}
spec:
  ingressClassName: limpet
  rules:
  - host: ten.test
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ten, port: {number: 80}}}}]}
`+ownService("ten", addresses...))
	used := l.count(t, "http://ten.test/", 200)
	for _, address := range addresses {
		if used[address] < 10 || used[address] > 40 { // 20 each with an even distribution
			t.Errorf("%s got %d of 200 requests: %v", address, used[address], used)
		}
	}
}

// servedCertificate returns the certificate that a host is served with.
func servedCertificate(t *testing.T, host string) []byte {
	t.Helper()
	conn, err := (&tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}).
		DialContext(t.Context(), "tcp", httpsAddress)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Raw
}
