package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/preview"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// newPreview returns the handler of POST /check.
func (n *node) newPreview() *preview.Handler {
	return preview.NewHandler(preview.Handler{Snapshot: n.publisher.Snapshot, Options: n.translate, Read: readManifests})
}

// readManifests reads the manifests of a stream.
func readManifests(from io.Reader) (*translate.Snapshot, error) {
	found, err := manifest.Load([]string{"-"}, from)
	if err != nil {
		return nil, err
	}
	return found.Snapshot, nil
}

// isPreview reports whether the flags request a preview of changes in a cluster.
func (o *checkOptions) isPreview() bool { return o.cluster.isOn && len(o.paths) > 0 }

// preview prints what changes if the files are applied to the cluster. It returns an error if something stops.
func (o *checkOptions) preview(ctx context.Context, stdin io.Reader, std streams) error {
	if o.format != formatTable && o.format != formatJSON {
		return usagef("-f with --cluster prints what changes: --output must be table or json")
	}
	found, err := manifest.Load(o.paths, stdin)
	if err != nil {
		return inputError{err}
	}
	for _, s := range found.Skipped {
		fmt.Fprintln(std.err, s)
	}
	t := o.translation()
	before, err := o.cluster.read(ctx, std, t)
	if err != nil {
		return inputError{err}
	}
	after := preview.Overlay(before, found.Snapshot, time.Now())
	o.cluster.complete(ctx, after, std, t)
	served := translate.Build(before, nil, t)
	report := preview.Compare(served, translate.Build(after, served.Model, t), isMissingSecret)
	if o.format == formatTable {
		err = report.WriteText(std.out)
	} else {
		encoder := json.NewEncoder(std.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	}
	if err == nil && report.Harms() {
		err = errors.New("applying these files stops something or causes problems")
	}
	return err
}
