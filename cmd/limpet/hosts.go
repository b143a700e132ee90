package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// hostOptions are what namespaces may do on hosts that another one owns.
type hostOptions struct{ routes, unmatched choice }

func (h *hostOptions) register(f flagSet) {
	h.routes = choice{"any", []string{"any", "owner"}}
	h.unmatched = choice{"owner", []string{"owner", "any"}}
	f.Var(&h.routes, "host-routes", "The `namespaces` that may add routes to a host: any, or only the owner of the host.")
	f.Var(&h.unmatched, "unmatched-paths", "The `namespaces` whose wildcard, hostless and default backend routes serve the paths"+
		" that no route of a host matches: only the owner of the host, or any.")
}

// apply sets what the flags say.
func (h *hostOptions) apply(o *translate.Options) {
	o.OwnerRoutesOnly = h.routes.value == "owner"
	o.SharesUnmatched = h.unmatched.value == "any"
}

// choice is a flag that takes one of several values.
type choice struct {
	value   string
	allowed []string
}

func (c *choice) String() string { return c.value }

// Type names the kind of value in the help text, as pflag wants.
func (c *choice) Type() string { return "choice" }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("must be %s", strings.Join(c.allowed, " or "))
	}
	c.value = s
	return nil
}
