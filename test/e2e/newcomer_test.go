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

// newcomer is somebody who has a checkout, kubectl and helm, and does what the pages say, line by line in one shell.
type newcomer struct {
	dir  string // of the shell
	root string // of the checkout
}

// TestInstallationGuide ends with the shop behind Limpet, and a rolling update of it under load.
func TestInstallationGuide(t *testing.T) {
	root, err := programs.Root()
	if err != nil {
		t.Fatal(err)
	}
	n := newcomer{t.TempDir(), root}
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

func (n newcomer) link(t *testing.T, to, name string) {
	t.Helper()
	n.folder(t, name)
	if err := os.Symlink(to, filepath.Join(n.dir, name)); err != nil {
		t.Fatal(err)
	}
}

func (n newcomer) file(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	n.folder(t, name)
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func (n newcomer) folder(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(n.dir, name)), 0o755); err != nil {
		t.Fatal(err)
	}
}

// follow does what concerns a cluster. The rest of the pages, which needs none, is run by test/docs.
func (n newcomer) follow(t *testing.T, page string) {
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
		t.Fatalf("%s has %d blocks for a cluster: they are not found", page, done)
	}
}

// run runs a block in what is left of the shell of the block before: its folder and its variables.
func (n newcomer) run(t *testing.T, where, block string) {
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

// rollingUpdate replaces the pods of the shop that the newcomer has now, while clients shop there.
func (n newcomer) rollingUpdate(t *testing.T) {
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
	printTable([]row{m.pass(t, phase{name: "newcomer's rolling update", do: restartShop, pods: 3})})
}
