package h2spec

import (
	"context"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/programs"
)

// exceptions are the cases that may fail, by section and title, with the reason from RFC 9113. An exception that
// does not fail is an error too.
var exceptions = map[string]map[string]string{
	"clear": {
		"http2/3.5 Sends invalid connection preface": "section 3.4 lets GOAWAY be omitted, since such a peer does not speak " +
			"HTTP/2. The port also serves HTTP/1.1, in which it is answered with 400 before it is closed",
	},
}

func TestH2spec_cleartextAndTLS(t *testing.T) {
	startPod(t)
	startLimpet(t)
	for name, flags := range map[string][]string{
		"clear": {"--port", httpPort},
		"tls":   {"--port", httpsPort, "--tls", "--insecure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range judge(t, flags...).Suites {
				for _, c := range s.Cases {
					title := s.Section + " " + c.Title
					t.Run(title, func(t *testing.T) { c.check(t, exceptions[name][title]) })
				}
			}
		})
	}
}

// report is the part of the tool's report that is evaluated.
type report struct {
	Suites []struct {
		Section string     `xml:"package,attr"`
		Cases   []testCase `xml:"testcase"`
	} `xml:"testsuite"`
}

type testCase struct {
	Title   string  `xml:"classname,attr"`
	Failure *string `xml:"failure"`
	Error   *string `xml:"error"`
	Skipped *string `xml:"skipped"`
}

func (c testCase) check(t *testing.T, exception string) {
	var outcome string
	for _, o := range []*string{c.Failure, c.Error, c.Skipped} {
		if o != nil {
			outcome += *o
		}
	}
	switch failed := c.Failure != nil || c.Error != nil || c.Skipped != nil; {
	case failed && exception == "":
		t.Error(outcome)
	case !failed && exception != "":
		t.Error("unused exception: remove it")
	}
}

// leastCases is the number of cases in the pinned version.
const leastCases = 146

// judge runs all cases. The tool exits with 1 if a case fails; failures are read from the report.
func judge(t *testing.T, flags ...string) (r report) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	file := filepath.Join(t.TempDir(), "report.xml")
	out, runErr := exec.CommandContext(ctx, programs.H2spec.Path(),
		append([]string{"--strict", "--junit-report", file}, flags...)...).CombinedOutput()
	text, err := os.ReadFile(file)
	if err == nil {
		err = xml.Unmarshal(text, &r)
	}
	if err != nil {
		t.Fatalf("h2spec wrote no report: %v, %v\n%s", err, runErr, out)
	}
	n := 0
	for _, s := range r.Suites {
		n += len(s.Cases)
	}
	if n < leastCases {
		t.Fatalf("only %d cases ran\n%s", n, out)
	}
	return r
}
