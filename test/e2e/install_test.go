//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

const chartDir = "../../charts/limpet"

// restricted creates a namespace that enforces the restricted Pod Security Standard.
func (c *cluster) restricted(t *testing.T, name string) {
	t.Helper()
	c.namespaceOf(t, name, "restricted")
}

func (c *cluster) namespaceOf(t *testing.T, name, standard string) {
	t.Helper()
	c.apply(t, "", fmt.Sprintf(`{"apiVersion":"v1","kind":"Namespace","metadata":{"name":%q,`+
		`"labels":{"pod-security.kubernetes.io/enforce":%q}}}`, name, standard))
}

// install installs Limpet and the shop, and checks that a client returns to its pod.
func install(t *testing.T, c *cluster) {
	c.restricted(t, namespace)
	c.restricted(t, "shop")
	notes := c.helm(t, "install", "limpet", chartDir, "--namespace", namespace, "--values", "limpet.yaml", "--wait", "--timeout=3m",
		"--set", "publishAddresses=null,podDeletionCost.enabled=true")
	c.kubectl(t, "patch", "service", "limpet", "--namespace", namespace, "--patch", `{"spec":{"externalIPs":["203.0.113.10"]}}`)
	if !strings.Contains(notes, "helm test limpet --namespace limpet-system") {
		t.Errorf("the notes do not have the next steps:\n%s", notes)
	}
	manifest, err := os.ReadFile("../cart/cart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.apply(t, "shop", string(manifest))
	c.kubectl(t, "rollout", "status", "deployment/cart", "--namespace=shop", "--timeout=3m")
	eventually(t, func(ctx context.Context) error {
		code, err := status(ctx, c.limpet(), cartHost)
		if err == nil && code != http.StatusOK {
			err = fmt.Errorf("status %d", code)
		}
		return err
	})
}

// limpet returns the address of Limpet for clients.
func (c *cluster) limpet() string { return c.node + c.port }
