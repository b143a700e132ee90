package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func newCheckCommand(std streams) *cobra.Command {
	classes := list{values: []string{translate.DefaultClass}}
	var path string
	var tenants tenantOptions
	cmd := &cobra.Command{
		Use:   "check -f FILE|DIR [flags]",
		Short: "Print what Limpet makes of manifests, and every problem in them",
		Long: `Print the routes that Limpet makes of manifests, with the affinity of each backend, and every problem in them.

The exit status is 1 if there are problems, and 2 if a file cannot be read.`,
		Example: `limpet check -f shop

# The objects of a cluster, before you switch
kubectl get -A -o yaml ingresses,ingressclasses,services,endpointslices > all.yaml
limpet check -f all.yaml --ingress-class nginx`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, v := range unknownVariables(cmd.Root(), os.Environ()) {
				fmt.Fprintf(std.err, "limpet: warning: %v\n", v)
			}
			o := translate.Options{Classes: classes.values, TakeUnclassed: true}
			tenants.apply(&o)
			return runCheck(path, o, std)
		},
	}
	f := flagSet{cmd.Flags()}
	f.StringVarP(&path, "filename", "f", "", "The `path` of a file or folder with manifests. Required.")
	f.Var(&classes, "ingress-class", "The `name` of an IngressClass to serve. May be repeated.")
	tenants.register(f)
	return cmd
}

// runCheck prints the routes and problems of manifests. It returns an error if there are problems.
func runCheck(path string, o translate.Options, std streams) error {
	if path == "" {
		return usagef("-f is required")
	}
	snapshot, skipped, err := manifest.Load(path)
	if err != nil {
		return inputError{err}
	}
	for _, s := range skipped {
		fmt.Fprintln(std.err, s)
	}
	result := translate.Build(snapshot, nil, o)
	return describe(std.out, result)
}

// describe prints the routes with their affinity, the hosts with TLS settings, the owners of hosts that several namespaces use,
// and the problems.
func describe(w io.Writer, result translate.Result) error {
	text, err := yaml.Marshal(struct {
		Routes []model.Route     `json:"routes"`
		Hosts  []model.Host      `json:"hosts,omitempty"`
		Owners []model.HostOwner `json:"owners,omitempty"`
	}{result.Model.Routes, result.Model.Hosts, result.Model.Owners})
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	problems := 0
	for _, r := range result.Reports {
		for _, p := range r.Problems {
			problems++
			fmt.Fprintf(w, "%s: %s%s: %s\n", r.Ref, fieldPrefix(p.Field), p.Reason, p.Message)
		}
	}
	switch problems {
	case 0:
		return nil
	case 1:
		return errors.New("1 problem found")
	}
	return fmt.Errorf("%d problems found", problems)
}

// fieldPrefix returns a field with a colon, or "" for a problem of the whole object.
func fieldPrefix(field string) string {
	if field == "" {
		return ""
	}
	return field + ": "
}
