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

// exceptions are the cases that may fail, by section of the tool and title, with what RFC 9113 has to say. One that does
// not fail is an error too.
var exceptions = map[string]map[string]string{
	"clear": {
		"http2/3.5 Sends invalid connection preface": "section 3.4 lets GOAWAY be omitted, since such a peer does not speak " +
			"HTTP/2. The port also serves HTTP/1.1, in which it is answered with 400 before it is closed",
	},
}

func TestAllCasesHoldInClearAndOverTLS(t *testing.T) {
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

// report is what the tool writes, as far as it is looked at.
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
		t.Error("an exception that is none: take it out of the list")
	}
}

// leastCases is how many there are in the version that is pinned.
const leastCases = 146

// judge runs all cases, most of which take milliseconds. It exits with 1 if one fails, which the report tells.
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
		t.Fatalf("h2spec has written no report: %v, %v\n%s", err, runErr, out)
	}
	n := 0
	for _, s := range r.Suites {
		n += len(s.Cases)
	}
	if n < leastCases {
		t.Fatalf("only %d cases were run\n%s", n, out)
	}
	return r
}
