//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
)

// operate queries the replicas through the API server and a real kubelet.
func operate(t *testing.T, c *cluster) {
	eventually(t, func(ctx context.Context) error { // a new installation has no leader for some seconds
		text, err := exec.CommandContext(ctx, programs.Limpet.Path(), "status", "--namespace", namespace, "-o", "json").Output()
		var status struct {
			Agree    bool
			Leader   string
			Replicas []struct{ Replica struct{ Ready bool } }
		}
		if err == nil {
			err = json.Unmarshal(text, &status)
		}
		if err != nil || !status.Agree || status.Leader == "" || len(status.Replicas) != 2 {
			return fmt.Errorf("limpet status: %w\n%s", err, text)
		}
		return nil
	})
	text := c.run(t, "", programs.Limpet, "explain", "--namespace", namespace, "--url", "http://"+cartHost+"/")
	if !strings.Contains(text, "Ingress shop/cart") || !strings.Contains(text, "outcome   new") {
		t.Errorf("limpet explain:\n%s", text)
	}
	change := "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: cart, namespace: shop}\n" +
		"spec: {ingressClassName: limpet, rules: [{host: other.example.com, http: {paths: [{path: /, pathType: Prefix," +
		" backend: {service: {name: cart, port: {number: 80}}}}]}}]}\n"
	text = c.runFailing(t, change, programs.Limpet, "check", "--cluster", "-f", "-")
	if !strings.Contains(text, "stops") || !strings.Contains(text, "starts") {
		t.Errorf("limpet check:\n%s", text)
	}
}
