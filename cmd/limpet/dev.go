package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func newDevCommand(std streams) *cobra.Command {
	var o options
	var dir string
	cmd := &cobra.Command{
		Use:   "dev --manifests DIR [flags]",
		Short: "Serve the manifests of a folder, without a cluster",
		Long: `Serve the *.yaml, *.yml and *.json files below a folder by the same code as in a cluster, and follow their changes.

A file that is invalid at startup ends the command. If a file becomes invalid later, its last valid content keeps
serving until it is fixed, and changes of all other files take effect.`,
		Example: `limpet dev --manifests shop

# Keep sessions across restarts
head -c 32 /dev/urandom | base64 > keys
limpet dev --manifests shop --affinity-keys keys`,
		Args:    noArguments,
		PreRunE: readEnvironment,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.unknown = unknownVariables(cmd.Root(), os.Environ())
			return runDev(cmd.Context(), o, dir, std)
		},
	}
	f := flagSet{cmd.Flags()}
	o.register(f, devDefaults)
	f.StringVar(&dir, "manifests", "", "The `folder` whose *.yaml, *.yml and *.json files are served. Required.")
	return cmd
}

// runDev serves the YAML files below a folder and watches them for changes.
func runDev(ctx context.Context, o options, dir string, std streams) error {
	if err := o.validate(); err != nil {
		return err
	}
	if dir == "" {
		return usagef("--manifests is required")
	}
	return serveManifests(ctx, o, dir, std)
}

// serveManifests loads the manifests in dir and serves them until ctx ends. Later changes are applied while it serves.
func serveManifests(ctx context.Context, o options, dir string, std streams) error {
	source := manifest.NewSource(dir)
	var found *manifest.Contents
	var err error
	whileLoading(func() { found, err = source.Load() })
	if err != nil {
		return inputError{err}
	}
	t := o.translation()
	t.TakeUnclassed, t.ReportUnserved = true, true
	n, err := newNode(o, t, std)
	if err != nil {
		return err
	}
	for _, s := range found.Skipped {
		n.log.Info("Document skipped", "file", s.File, "line", s.Line, "reason", s.What)
	}
	n.apply(found.Snapshot, time.Now())
	return n.serve(ctx, func(ctx context.Context) error {
		return source.Watch(ctx, func(found *manifest.Contents, err error) {
			if found == nil {
				n.log.Error(err, "Manifests not applied: the last good ones keep serving")
				return
			}
			n.apply(found.Snapshot, time.Now()) // it logs the errors
		})
	})
}

// apply publishes a Snapshot and logs every problem that the previous one did not have.
func (n *node) apply(w *translate.Snapshot, since time.Time) {
	found := map[problem]bool{}
	for _, r := range n.publisher.Publish(w, publish.SnapshotEndpoints(w), since).Reports {
		for _, p := range r.Problems {
			key := problem{r.Ref, p}
			if found[key] = true; !n.reported[key] {
				n.log.Info("Problem found", "object", r.Ref.String(), "field", p.Field, "reason", p.Reason,
					"message", p.Message)
			}
		}
	}
	n.reported = found
}

// problem is a translate.Problem of one object.
type problem struct {
	object model.Ref
	translate.Problem
}
