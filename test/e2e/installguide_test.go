//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/limpet-dev/limpet/test/pages"
	"github.com/limpet-dev/limpet/test/programs"
)

// guideReader runs the commands of the pages in one shell, with a checkout, kubectl and helm.
type guideReader struct {
	dir  string // working directory of the shell
	root string // root of the checkout
}

// Ends with the shop behind Limpet, and a rolling update of it under load.
func TestInstallationGuide(t *testing.T) {
	root, err := programs.Root()
	if err != nil {
		t.Fatal(err)
	}
	n := guideReader{t.TempDir(), root}
	for _, name := range []string{"charts", "config", "hack", "test", "Makefile", "go.mod"} {
		n.link(t, filepath.Join(root, name), name)
	}
	n.link(t, filepath.Join(root, "bin"), "bin")
	n.link(t, programs.Helm.Path(), ".bin/helm")
	n.link(t, programs.Kubectl.Path(), ".bin/kubectl")
	n.file(t, ".bin/make", fmt.Sprintf("#!/bin/sh\nexec /usr/bin/make --no-print-directory -C %q \"$@\"\n", root), 0o755)
	for _, page := range []string{"docs/install.md", "README.md"} {
		n.follow(t, page)
	}
	n.rollingUpdate(t)
}

func (n guideReader) link(t *testing.T, to, name string) {
	t.Helper()
	n.folder(t, name)
	if err := os.Symlink(to, filepath.Join(n.dir, name)); err != nil {
		t.Fatal(err)
	}
}

func (n guideReader) file(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	n.folder(t, name)
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func (n guideReader) folder(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(n.dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
}

// follow runs the blocks of a page that need a cluster. Other blocks are run by test/docs.
func (n guideReader) follow(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.root, page))
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, step := range pages.Steps(string(text)) {
		switch {
		case step.Mode == "file":
			n.file(t, step.Args[0], step.Body, 0o644)
		case step.Mode == "node", step.Mode == "run" && pages.NeedsCluster(step.Body):
			done++
			n.run(t, fmt.Sprintf("%s:%d", page, step.Line), step.Body)
		}
	}
	if done < 2 {
		t.Fatalf("found only %[2]d blocks for a cluster in %[1]s", page, done)
	}
}

// run runs a block with the working directory and variables of the previous block.
func (n guideReader) run(t *testing.T, where, block string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c",
		"set -a; [ ! -e .env ] || . ./.env\n"+block+"\nexport -p >.env")
	cmd.Dir = n.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(n.dir, ".bin")+":"+os.Getenv("PATH"), "KUBECACHEDIR="+n.dir,
		"HELM_CACHE_HOME="+n.dir, "HELM_CONFIG_HOME="+n.dir, "HELM_DATA_HOME="+n.dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s\n%s", where, err, block, out)
	}
}

// rollingUpdate replaces the pods of the shop while clients send requests.
func (n guideReader) rollingUpdate(t *testing.T) {
	t.Helper()
	t.Setenv("KUBECONFIG", "/var/tmp/limpet-cluster/kubeconfig")
	c := newCluster(t)
	c.port = ":" + c.kubectl(t, "get", "service", "limpet", "--namespace", namespace, "-o", "jsonpath={.spec.ports[0].nodePort}")
	m := &mall{cluster: c, ledger: &ledger{}, pods: newPodLog(t, "default")}
	m.pods.await(t, 3)
	m.crowd = newCrowd(t, c.limpet(), m.ledger)
	defer m.crowd.leave()
	m.crowd.everyoneAsks(t)
	m.ledger.turn()
	printTable([]row{m.pass(t, phase{name: "guideReader's rolling update", do: restartShop, pods: 3})})
}
