package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The kubectl plugin queries the Limpet of the cluster. The program itself queries a local one, unless a flag names a cluster.
func TestReach_clusterOrURL(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "kubeconfig")
	for name, c := range map[string]struct {
		program string
		args    []string
		want    string
	}{
		"program":                   {"limpet", nil, "Limpet at 127.0.0.1:9090 does not respond"},
		"program with a kubeconfig": {"limpet", []string{"--kubeconfig", missing}, missing},
		"program with a namespace":  {"limpet", []string{"-n", "edge"}, missing},
		"plugin":                    {"/usr/bin/kubectl-limpet", nil, missing},
		"plugin with a URL":         {"kubectl-limpet", []string{"--admin", "http://127.0.0.1:1"}, "Limpet at 127.0.0.1:1 does not respond"},
		"both":                      {"limpet", []string{"--admin", "http://x", "-n", "edge"}, "--admin and --namespace exclude each other"},
		"not a URL":                 {"limpet", []string{"--admin", "localhost"}, `--admin is "localhost", but must be a URL`},
	} {
		t.Setenv("KUBECONFIG", missing) // reading it fails, and the error names it
		var out, err strings.Builder
		args := append([]string{c.program, "explain", "--url", "http://shop.example.com/"}, c.args...)
		failure := dispatch(t.Context(), args, streams{&out, &err})
		if failure == nil || !strings.Contains(err.String(), c.want) && !isMissingConfig(c.want, missing, err.String()) {
			t.Errorf("%s: got %s, want %s", name, err.String(), c.want)
		}
	}
}

// isMissingConfig reports whether the cause of a failure is that there is no configuration for a cluster.
func isMissingConfig(want, missing, failure string) bool {
	return want == missing && strings.Contains(failure, "no configuration has been provided")
}

func TestReach_environment(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "shop.yaml", explainShop)
	p := start(t, "dev", "--manifests", dir)
	t.Setenv("LIMPET_ADMIN", "http://"+p.admin)
	var out, stderr output
	args := []string{"kubectl-limpet", "explain", "--url", "http://shop.example.com/cart"}
	if err := dispatch(t.Context(), args, streams{&out, &stderr}); err != nil || !strings.Contains(out.String(), "Ingress default/shop") {
		t.Errorf("%v\n%s%s", err, out.String(), stderr.String())
	}
	p.stop(t)
}
