// Package schemacases runs the cases of api/v1alpha1/testdata/cel: specs of AffinityPolicy that the API server must accept or
// refuse.
//
// It decides what a case means. Its callers decide who admits the specs: the schema that `limpet dev` uses, or a real API
// server.
package schemacases

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Case is one case; see the README beside the files.
type Case struct {
	Name    string          `json:"name"`
	Want    string          `json:"want"`
	Message string          `json:"message"`
	Spec    json.RawMessage `json:"spec"`
}

// Read returns the cases of all files in dir.
func Read(t *testing.T, dir string) []Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	var all []Case
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []Case
		if err := yaml.UnmarshalStrict(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, cases...)
	}
	return all
}

// Run runs a subtest for each case. It fails where admit does not accept or refuse the spec as the case says.
func Run(t *testing.T, cases []Case, admit func(t *testing.T, spec json.RawMessage) error) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			err := admit(t, c.Spec)
			switch {
			case c.Want == "accepted" && err != nil:
				t.Errorf("refused: %v", err)
			case c.Want == "refused" && err == nil:
				t.Errorf("accepted, want refusal with %q", c.Message)
			case c.Want == "refused" && !strings.Contains(err.Error(), c.Message):
				t.Errorf("refused with %q, want %q", err, c.Message)
			case c.Want != "accepted" && c.Want != "refused":
				t.Errorf("want: %q, must be accepted or refused", c.Want)
			}
		})
	}
}
