package nginx

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

var update = flag.Bool("update", false, "write what limpet check prints to testdata/apps")

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Limpet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m, nil)
}

// appNames returns the names of the applications.
func appNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/apps/*.requests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".requests.yaml"))
	}
	if len(names) < 25 {
		t.Errorf("there are %d applications, want at least 25", len(names))
	}
	return names
}

// What limpet check prints is part of each application: which annotations are served differently, and which are not served.
func TestApps_check(t *testing.T) {
	for _, name := range appNames(t) {
		t.Run(name, func(t *testing.T) {
			manifest := filepath.Join("testdata", "apps", name+".yaml")
			cmd := exec.Command(programs.Limpet.Path(), "check", "-f", manifest, "-o", "report",
				"--ingress-class", "nginx", "--assume-secrets")
			cmd.Env = []string{} // flags can be set by variables, too
			out, err := cmd.CombinedOutput()
			if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "apps", name+".check.txt")
			if *update {
				if err := os.WriteFile(golden, out, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(out, want) {
				t.Errorf("limpet check prints (-update writes it):\n%s\nwant:\n%s", out, want)
			}
		})
	}
}

func TestApps_requests(t *testing.T) {
	names := appNames(t)
	startPods(t)
	var manifests []string
	for _, name := range names {
		manifests = append(manifests, filepath.Join("testdata", "apps", name+".yaml"))
	}
	l := startLimpet(t, manifests)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			for _, c := range readRequests(t, name) {
				t.Run(c.Name, func(t *testing.T) { l.try(t, &c) })
			}
		})
	}
}

// request is a request, and what the client and the pod must see.
type request struct {
	Name   string
	URL    string // its scheme selects the listener
	Method string // GET if empty
	Header map[string]string
	// Body is the size of the body in bytes.
	Body int64
	// From is the address that a trusted proxy reports. Empty is a loopback address.
	From string

	Status int
	// Response has header fields of the response. An empty text means that the field must be missing.
	Response map[string]string
	// Pod has what the pod must receive: method, target, host, proto, body, or the name of a header field.
	Pod map[string]string
	// Stays sends further requests with the cookies of the response, which the same pod must respond to.
	Stays bool
}

func readRequests(t *testing.T, name string) []request {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "apps", name+".requests.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []request
	if err := yaml.UnmarshalStrict(text, &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(out) == 0 {
		t.Errorf("%s has no requests", name)
	}
	return out
}
