package programs

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is a program that tests run.
type Program string

// The programs.
const (
	Limpet  Program = "limpet"
	Helm    Program = "helm"
	H2spec  Program = "h2spec"
	Kubectl Program = "kubectl"
)

// assetsVariable is also set by Find, so that test/controlplane finds its programs there.
const assetsVariable = "KUBEBUILDER_ASSETS"

// Find builds what is missing of the programs and notes in the environment where they are. It is called before
// sandbox.Main: inside the sandbox nothing can be downloaded, and the environment tells that process.
func Find(wanted ...Program) error {
	for _, p := range wanted {
		if os.Getenv(p.variable()) != "" {
			continue
		}
		path, err := p.find()
		if err == nil {
			err = os.Setenv(p.variable(), path)
		}
		if err != nil {
			return fmt.Errorf("finding %s: %w", p, err)
		}
	}
	return nil
}

// Path gives the path of a program that Find was called for.
func (p Program) Path() string {
	path := os.Getenv(p.variable())
	if path == "" {
		panic("programs: Find was not called for " + string(p))
	}
	return path
}

func (p Program) variable() string { return "LIMPET_TEST_" + strings.ToUpper(string(p)) }

func (p Program) find() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	switch p {
	case Limpet:
		return build(root)
	case Helm, H2spec:
		return run(root, nil, "hack/tools/build.sh", string(p))
	case Kubectl:
		return kubectl(root)
	}
	return "", fmt.Errorf("there is no such program; there are %s, %s, %s and %s", Limpet, Helm, H2spec, Kubectl)
}

// Root gives the folder that holds go.mod.
func Root() (string, error) {
	gomod, err := run("", nil, "go", "env", "GOMOD")
	return filepath.Dir(gomod), err
}

// build keeps the binary, so that it is linked again only after a change. Every test binary has its own: several run
// at once. The flags are those of go run, which make demo uses, so that nothing is compiled twice.
func build(root string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cmp.Or(os.Getenv("LIMPET_CACHE"), filepath.Join(cache, "limpet")), "test")
	path := filepath.Join(dir, filepath.Base(os.Args[0]), string(Limpet))
	_, err = run(root, nil, "go", "build", "-o", path, "./cmd/limpet")
	return path, err
}

// kubectl also notes where the control plane is. An archive that somebody made without kubectl does not count.
func kubectl(root string) (string, error) {
	dir := os.Getenv(assetsVariable)
	path := filepath.Join(dir, string(Kubectl))
	if _, err := os.Stat(path); dir != "" && err == nil {
		return path, nil
	}
	built, err := run(root, []string{assetsVariable + "="}, "hack/controlplane/build.sh")
	if err != nil {
		return "", err
	}
	if dir == "" {
		err = os.Setenv(assetsVariable, built)
	}
	return filepath.Join(built, string(Kubectl)), err
}

// run gives what a command prints. What it complains of goes to our own standard error.
func run(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	if strings.Contains(name, "/") {
		cmd = exec.Command(filepath.Join(dir, name), args...)
	}
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
