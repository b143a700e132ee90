package docs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/pages"
)

func TestPages_blocks(t *testing.T) {
	blocks := 0
	for _, p := range allPages(t) {
		steps := pages.Steps(p.text)
		if len(steps) == 0 {
			continue
		}
		blocks += len(steps)
		t.Run(p.file, func(t *testing.T) {
			s := newSession(t)
			for _, step := range steps {
				name := fmt.Sprintf("line %d %s", step.Line, step.Mode)
				if !t.Run(name, func(inner *testing.T) { s.take(inner, t, step) }) {
					return // later blocks may depend on it
				}
			}
		})
	}
	if blocks < 30 {
		t.Errorf("found only %d blocks", blocks)
	}
}

// take runs a step. whole is the test of the page, which determines the lifetime of what is started.
func (s *session) take(t, whole *testing.T, step pages.Step) {
	t.Helper()
	if !step.Directive {
		if step.Language != "" {
			t.Errorf("this block of %s has no test comment: see CONTRIBUTING.md", step.Language)
		}
		return // a drawing
	}
	switch step.Mode {
	case "manifests":
		checkManifests(t, step.Body, nil)
	case "problems":
		checkManifests(t, step.Body, step.Args)
	case "spec":
		checkManifests(t, policyWith(step.Body), step.Args)
	case "file":
		if strings.HasSuffix(step.Args[0], ".yaml") {
			checkManifests(t, step.Body, nil)
		}
		s.write(t, step.Args[0], step.Body)
	case "change": // of the objects of an installation
		s.write(t, step.Args[0], step.Body)
	case "objects":
		s.write(t, "objects.yaml", step.Body)
		s.run(t, "kubectl apply --dry-run=server -f objects.yaml")
	case "values":
		s.write(t, "values.yaml", step.Body)
		s.run(t, "helm template limpet charts/limpet --namespace default --kube-version 1.29.0 --values values.yaml"+
			" --api-versions monitoring.coreos.com/v1 > rendered.yaml")
	case "run":
		t.Log(s.run(t, step.Body))
	case "start":
		s.start(t, whole, step.Body)
	case "node": // run by test/e2e
		s.write(t, "block.sh", step.Body)
		s.run(t, "bash -n block.sh")
	case "dry-run":
		s.run(t, strings.ReplaceAll(step.Body, "make ", "make -n "))
	case "pods":
		s.pods(t, whole, step.Args)
	case "output":
		s.output(t, step.Body)
	case "installation":
		s.installation(t, whole)
	case "cart":
		s.setPods(t, step.Args)
	case "new":
		s.freshCluster(t)
	default:
		t.Errorf("unknown test comment %q: see CONTRIBUTING.md", step.Mode)
	}
}
