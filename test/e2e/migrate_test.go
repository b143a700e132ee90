//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/ingressnginx"
	"github.com/limpet-dev/limpet/test/programs"
)

const (
	// migrants is the number of clients of each mode of affinity.
	migrants = 100
	nextPort = ":30085" // NodePort of the release that takes over
)

// migration is a shop whose Ingresses are written for ingress-nginx, with clients that hold its cookies. A model of ingress-nginx
// runs in the test and sends requests to the pods of the node.
type migration struct {
	*cluster
	model   *ingressnginx.Controller
	clients []*shopper
}

var modes = []string{"persistent", "balanced"}

// migrate takes the steps of docs/migrate-from-ingress-nginx.md: shadow, cut-over and roll-back. No session may move.
func migrate(t *testing.T, c *cluster) {
	m := &migration{cluster: c, model: ingressnginx.New()}
	listener, err := net.Listen("tcp", net.JoinHostPort(c.hostAddress(t), "0"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: m.model, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	for _, mode := range modes {
		c.apply(t, "shop", nginxIngress(mode))
	}
	m.check(t)
	m.followPods(t, 3)
	entry, address := newFront(t, c, listener.Addr().String()), c.node+frontPort
	m.arrive(t, address)
	m.noneMoves(t, "at ingress-nginx", address)

	release := []string{
		"next", chartDir, "--namespace", namespace, "--values", "limpet.yaml", "--wait", "--timeout=3m", "--set", "replicas=1," +
			"ingressClass.name=nginx,ingressClass.create=false,service.httpNodePort=30085,service.httpsNodePort=30448",
		"--set", "extraArgs={--nginx-cookies}",
	}
	c.helm(t, append([]string{"install", "--set", "shadow=true"}, release...)...)
	defer c.helm(t, "uninstall", "next", "--namespace", namespace, "--wait")
	for _, mode := range modes {
		c.serves(t, nextPort, mode+".example.com", http.StatusOK)
	}
	m.noneMoves(t, "tried in shadow", c.node+nextPort)
	m.noneMoves(t, "back from shadow", address)
	if at := m.addresses(t); at != "" {
		t.Errorf("in shadow, the status has the addresses %s", at)
	}
	if leases := c.kubectl(t, "get", "leases", "--namespace", namespace, "-o", "name"); strings.Contains(leases, "next") {
		t.Errorf("in shadow, there are the leases %s", leases)
	}

	c.helm(t, append([]string{"upgrade", "--set", "shadow=false"}, release...)...)
	entry.toLimpet(t, "next")
	m.noneMoves(t, "cut over", address)
	m.arrive(t, address)
	eventually(t, func(context.Context) error {
		if at := m.addresses(t); at != "203.0.113.10 203.0.113.10" {
			return fmt.Errorf("after cut-over, the status has the addresses %q", at)
		}
		return nil
	})
	c.kubectl(t, "scale", "deployment/cart", "--replicas=5", "--namespace=shop")
	m.followPods(t, 5)
	m.noneMoves(t, "with more pods", address)

	entry.toNginx(t)
	c.helm(t, append([]string{"upgrade", "--set", "shadow=true"}, release...)...)
	m.noneMoves(t, "rolled back", address)
	m.arrive(t, address)
	entry.toLimpet(t, "next")
	m.noneMoves(t, "cut over again", address)
	c.kubectl(t, "delete", "service", "front", "--namespace", namespace)
	c.kubectl(t, "delete", "ingress", "persistent", "balanced", "--namespace=shop")
	c.kubectl(t, "scale", "deployment/cart", "--replicas=3", "--namespace=shop")
	newPodLog(t, "shop").await(t, 3)
}

// check reads the objects of the cluster as the first step of the guide does.
func (m *migration) check(t *testing.T) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "all.yaml")
	objects := m.kubectl(t, "get", "--all-namespaces", "-o", "yaml", "ingresses,ingressclasses,services")
	if err := os.WriteFile(file, []byte(objects), 0o600); err != nil {
		t.Fatal(err)
	}
	report := m.run(t, "", programs.Limpet, "check", "-f", file, "--ingress-class", "nginx,limpet", "--assume-secrets",
		"--nginx-cookies", "-o", "report")
	if summary, _, _ := strings.Cut(report, "\n"); !strings.HasSuffix(summary, "2 with differences, 0 closed") {
		t.Errorf("the report begins with %q", summary)
	}
}

// followPods waits for n pods, and makes the model use them.
func (m *migration) followPods(t *testing.T, n int) {
	t.Helper()
	pods := newPodLog(t, "shop")
	pods.await(t, n)
	var addresses []string
	pods.mu.Lock()
	for i := range pods.now {
		addresses = append(addresses, pods.now[i].Status.PodIP+":8080")
	}
	pods.mu.Unlock()
	for _, mode := range modes {
		m.model.Serve(mode+".example.com", ingressnginx.Backend{
			Name: "shop-cart-80", Balanced: mode == "balanced", Cookie: "INGRESSCOOKIE",
		}, addresses)
	}
}

// arrive adds new clients, whose first request goes to an address.
func (m *migration) arrive(t *testing.T, address string) {
	t.Helper()
	for i := range migrants {
		s := newShopper(t, address, nil)
		s.host = modes[i%len(modes)] + ".example.com"
		if _, err := m.adds(t.Context(), s, address); err != nil {
			t.Fatal(err)
		}
		m.clients = append(m.clients, s)
	}
}

// adds lets a client add an item to its basket, and reports whether another pod or another basket responded.
func (m *migration) adds(ctx context.Context, s *shopper, address string) (moved bool, err error) {
	s.address = address
	b, err := s.ask(ctx, http.MethodPost, "/add")
	if err != nil {
		return false, err
	}
	before, known := s.pod.Swap(b.Pod).(string)
	s.items++
	moved = known && before != b.Pod || b.Items != s.items
	s.items = b.Items
	return moved, nil
}

// noneMoves sends two requests of each client to an address.
func (m *migration) noneMoves(t *testing.T, step, address string) {
	t.Helper()
	moved := 0
	for _, s := range m.clients {
		for range 2 {
			left, err := m.adds(t.Context(), s, address)
			if err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			if left {
				moved++
			}
		}
	}
	t.Logf("%s: %d of %d sessions moved", step, moved, len(m.clients))
	if moved > 0 {
		t.Errorf("%s: %d of %d sessions moved", step, moved, len(m.clients))
	}
}

// addresses returns the addresses in the status of the Ingresses.
func (m *migration) addresses(t *testing.T) string {
	t.Helper()
	return m.kubectl(t, "get", "ingress", "persistent", "balanced", "--namespace=shop",
		"-o", "jsonpath={.items[*].status.loadBalancer.ingress[*].ip}")
}

func nginxIngress(mode string) string {
	return fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: %s
  annotations:
    nginx.ingress.kubernetes.io/affinity: cookie
    nginx.ingress.kubernetes.io/affinity-mode: %[1]s
spec:
  ingressClassName: nginx
  rules:
    - host: %[1]s.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}]}
`, mode)
}
