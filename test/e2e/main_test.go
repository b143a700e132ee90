//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/limpet-dev/limpet/test/programs"
)

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Helm, programs.Kubectl, programs.Limpet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctrl.SetLogger(logr.Discard()) // avoids a warning of the client
	os.Exit(m.Run())
}

// part is a subtest that depends on the previous ones.
type part struct {
	name string
	run  func(t *testing.T, c *cluster)
}

func TestCluster(t *testing.T) {
	c := newCluster(t)
	parts := []part{{"install", install}, {"operate", operate}, {"baskets", keepBaskets}, {"migrate", migrate}, {"chart", chartVariants}}
	// Only the hack cluster has an audit log.
	if log := os.Getenv(auditLog); log != "" {
		parts = append(parts, part{"rights", auditRights})
	}
	for _, part := range parts {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, c) }) {
			c.describe(t)
			return
		}
	}
}
