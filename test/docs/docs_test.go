package docs

import (
	"fmt"
	"strings"
	"testing"
)

func TestEveryBlockOfEveryPage(t *testing.T) {
	blocks := 0
	for _, p := range pages(t) {
		steps := p.steps()
		if len(steps) == 0 {
			continue
		}
		blocks += len(steps)
		t.Run(p.file, func(t *testing.T) {
			s := newSession(t)
			for _, step := range steps {
				name := fmt.Sprintf("line %d %s", step.line, step.mode)
				if !t.Run(name, func(inner *testing.T) { s.take(inner, t, step) }) {
					return // what follows may build on it
				}
			}
		})
	}
	if blocks < 30 {
		t.Errorf("%d blocks in all: they are not found", blocks)
	}
}

// take does what a step says. whole is the test of the page: what is started lasts as long.
func (s *session) take(t, whole *testing.T, step step) {
	t.Helper()
	if !step.directive {
		if step.language != "" {
			t.Errorf("no comment says how this block of %s is tested: see CONTRIBUTING.md", step.language)
		}
		return // a drawing
	}
	switch step.mode {
	case "manifests":
		checkManifests(t, step.body, nil)
	case "problems":
		checkManifests(t, step.body, step.args)
	case "spec":
		checkManifests(t, policyWith(step.body), step.args)
	case "file":
		if strings.HasSuffix(step.args[0], ".yaml") {
			checkManifests(t, step.body, nil)
		}
		s.write(t, step.args[0], step.body)
	case "objects":
		s.write(t, "objects.yaml", step.body)
		s.run(t, "kubectl apply --dry-run=server -f objects.yaml")
	case "values":
		s.write(t, "values.yaml", step.body)
		s.run(t, "helm template limpet charts/limpet --namespace default --kube-version 1.29.0 --values values.yaml"+
			" --api-versions monitoring.coreos.com/v1 > rendered.yaml")
	case "run":
		t.Log(s.run(t, step.body))
	case "start":
		s.start(t, whole, step.body)
	case "dry-run":
		s.run(t, strings.ReplaceAll(step.body, "make ", "make -n "))
	case "pods":
		s.pods(t, whole, step.args)
	case "new":
		s.freshCluster(t)
	default:
		t.Errorf("there is no way %q to test a block: see CONTRIBUTING.md", step.mode)
	}
}
