package programs

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Program is the name of a program that tests run.
type Program string

// The programs.
const (
	Limpet  Program = "limpet"
	Helm    Program = "helm"
	H2spec  Program = "h2spec"
	Kubectl Program = "kubectl"
)

// assetsVariable is set by Find too, for test/controlplane.
const assetsVariable = "KUBEBUILDER_ASSETS"

// Find builds missing programs and stores their paths in the environment. It must be called before sandbox.Main,
// because nothing can be downloaded inside the sandbox.
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

// Path returns the path of a program. It panics if Find was not called for it.
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
	return "", fmt.Errorf("unknown program; known are %s, %s, %s and %s", Limpet, Helm, H2spec, Kubectl)
}

// Root returns the directory that contains go.mod.
func Root() (string, error) {
	gomod, err := run("", nil, "go", "env", "GOMOD")
	return filepath.Dir(gomod), err
}

// build keeps the binary, so that it is linked only after a change. Each test binary has its own copy, because
// several run at once. The flags are those of go run, which make demo uses, to share the build cache.
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

// kubectl also stores the path of the control plane. It ignores assets without kubectl.
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

// run returns the standard output of a command. Its standard error is passed through.
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
