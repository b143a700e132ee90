//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// chartVariants installs further releases of Limpet with other values.
func chartVariants(t *testing.T, c *cluster) {
	t.Run("helm test", func(t *testing.T) {
		c.helm(t, "test", "limpet", "--namespace", namespace, "--timeout=2m")
	})
	t.Run("a policy and an Ingress with a mistake are told so", func(t *testing.T) {
		c.apply(t, "shop", objectsWithMistakes)
		c.kubectl(t, "wait", "--for=condition=Programmed", "affinitypolicy/fine", "--namespace=shop", "--timeout=1m")
		eventually(t, func(context.Context) error {
			events := c.kubectl(t, "get", "events", "--namespace=shop", "--field-selector=involvedObject.name=mistaken")
			if !strings.Contains(events, "UnknownAnnotation") {
				return fmt.Errorf("no Event names the annotation:\n%s", events)
			}
			return nil
		})
	})
	t.Run("a second installation serves its class only", func(t *testing.T) {
		c.helm(t, "install", "internal", chartDir, "--namespace", namespace, "--values", "limpet.yaml", "--wait", "--timeout=3m",
			"--set", "ingressClass.name=internal,service.httpNodePort=30081,service.httpsNodePort=30444,replicas=1")
		c.apply(t, "shop", ingress("internal", "internal.example.com"))
		c.serves(t, ":30081", "internal.example.com", http.StatusOK)
		c.serves(t, ":30080", "internal.example.com", http.StatusNotFound)
		c.serves(t, ":30081", cartHost, http.StatusNotFound)
		c.helm(t, "uninstall", "internal", "--namespace", namespace, "--wait")
	})
	t.Run("classes of other controllers are taken over", func(t *testing.T) {
		c.apply(t, "shop", ingress("nginx", "old.example.com"))
		c.serves(t, ":30080", "old.example.com", http.StatusNotFound)
		c.helm(t, "upgrade", "limpet", chartDir, "--namespace", namespace, "--reset-then-reuse-values", "--wait", "--timeout=3m",
			"--set", "ingressClass.alsoServe={nginx}")
		c.serves(t, ":30080", "old.example.com", http.StatusOK)
	})
	c.namespaceOf(t, "edge", "privileged")
	for name, values := range map[string]string{
		"host ports":       "listeners.http.hostPort=80,listeners.https.hostPort=443",
		"the host network": "hostNetwork=true,runAsRoot=true,listeners.http.port=80,listeners.https.port=443",
	} {
		t.Run("a DaemonSet on "+name, func(t *testing.T) {
			c.helm(t, "install", "edge", chartDir, "--namespace=edge", "--values", "limpet.yaml", "--wait", "--timeout=3m",
				"--set", "kind=DaemonSet,service.enabled=false,ingressClass.name=edge,"+values)
			c.apply(t, "shop", ingress("edge", "edge.example.com"))
			c.serves(t, ":80", "edge.example.com", http.StatusOK)
			c.helm(t, "uninstall", "edge", "--namespace=edge", "--wait")
		})
	}
}

// serves waits until a request for host to a port of the node gets the status.
func (c *cluster) serves(t *testing.T, port, host string, want int) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		got, err := status(ctx, c.node+port, host)
		if err == nil && got != want {
			err = fmt.Errorf("%s at %s: status %d, want %d", host, port, got, want)
		}
		return err
	})
}

// ingress creates an Ingress of a class that routes a host to the shop.
func ingress(class, host string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %s}
spec:
  ingressClassName: %[1]s
  rules:
    - host: %s
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}
`, class, host)
}

const objectsWithMistakes = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: mistaken
  annotations: {limpet.dev/afinity: cookie}
spec:
  ingressClassName: limpet
  rules:
    - host: mistaken.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: fine, port: {number: 80}}}}]}
---
apiVersion: v1
kind: Service
metadata: {name: fine}
spec: {selector: {app: cart}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata: {name: fine}
spec:
  targetRefs: [{group: "", kind: Service, name: fine}]
  methods: [{source: Header, binding: Hashed, header: {name: X-Session-Id}}]
`
