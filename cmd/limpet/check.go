package main

import (
	"context"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// runCheck prints what Limpet makes of manifests, and every problem in them. Problems make it fail.
func runCheck(_ context.Context, args []string, std streams) error {
	f := newFlagSet("check", std)
	path := f.String("f", "", "`file or folder` with manifests (required)")
	classes := list{values: []string{translate.DefaultClass}}
	f.Var(&classes, "ingress-class", "`name` of an IngressClass to serve; may be repeated")
	if err := f.parse(args); err != nil {
		return err
	}
	if *path == "" {
		return fmt.Errorf("%w: -f is required", errUsage)
	}
	world, skipped, err := manifest.Load(*path)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	for _, s := range skipped {
		fmt.Fprintln(std.err, s)
	}
	result := translate.Build(world, nil, translate.Options{Classes: classes.values, TakeUnclassed: true})
	return describe(std.out, result)
}

// describe prints the routes, each with its affinity, the hosts that ask more of TLS, and the problems.
func describe(w io.Writer, result translate.Result) error {
	text, err := yaml.Marshal(struct {
		Routes []model.Route `json:"routes"`
		Hosts  []model.Host  `json:"hosts,omitempty"`
	}{result.Model.Routes, result.Model.Hosts})
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
			fmt.Fprintf(w, "%s: %s: %s: %s\n", r.Ref, p.Field, p.Reason, p.Message)
		}
	}
	if problems > 0 {
		return fmt.Errorf("%d problems found", problems)
	}
	return nil
}
