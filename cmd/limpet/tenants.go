package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// tenantOptions are the flags that limit the authors of Ingresses and Services. run, dev, demo and check share them.
type tenantOptions struct {
	routes, unmatched, unenforced choice
	externalNames                 nameSuffixes
	acmeNamespaces                namespaces
}

func (t *tenantOptions) register(f flagSet) {
	t.routes = choice{"any", []string{"any", "owner"}}
	t.unmatched = choice{"owner", []string{"owner", "any"}}
	t.unenforced = choice{"deny", []string{"deny", "serve"}}
	f.Var(&t.routes, "host-routes", "The `namespaces` that may add routes to a host: any, or only the owner of the host.")
	f.Var(&t.unmatched, "unmatched-paths", "The `namespaces` whose wildcard, hostless and default backend routes serve the paths"+
		" that no route of a host matches: only the owner of the host, or any.")
	f.Var(&t.unenforced, "unenforced-protection", "The `treatment` of routes whose Ingress requires protection that this version"+
		" does not enforce, such as authentication: deny responds 503, serve serves them without it.")
	f.Var(&t.acmeNamespaces, "acme-namespaces", "The comma-separated `namespaces` whose paths for ACME challenges count on any"+
		" host. On a host that another namespace owns, only its owner's count otherwise.")
	f.Var(&t.externalNames, "external-names", "The comma-separated DNS `names` that Services of type ExternalName may have. Names"+
		" below them are allowed, too, and * allows any. If empty, routes to such Services respond 503.")
}

// apply sets the options of translation.
func (t *tenantOptions) apply(o *translate.Options) {
	o.OwnerRoutesOnly = t.routes.value == "owner"
	o.SharesUnmatched = t.unmatched.value == "any"
	o.ServeUnprotected = t.unenforced.value == "serve"
	o.ExternalNames = t.externalNames
	o.ACMENamespaces = t.acmeNamespaces
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

// nameSuffixes is a flag of DNS names with commas, or "*". It may be repeated.
type nameSuffixes []string

func (n *nameSuffixes) String() string { return strings.Join(*n, ",") }

// Type names the kind of value in the help text, as pflag wants.
func (n *nameSuffixes) Type() string { return "names" }

func (n *nameSuffixes) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		suffix, err := translate.ParseNameSuffix(name)
		if err != nil {
			return err
		}
		*n = append(*n, suffix)
	}
	return nil
}

// namespaces is a flag of names of namespaces with commas. It may be repeated.
type namespaces []string

func (n *namespaces) String() string { return strings.Join(*n, ",") }

// Type names the kind of value in the help text, as pflag wants.
func (n *namespaces) Type() string { return "namespaces" }

func (n *namespaces) Set(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return fmt.Errorf("%q is not the name of a namespace: %s", name, problems[0])
		}
		*n = append(*n, name)
	}
	return nil
}
