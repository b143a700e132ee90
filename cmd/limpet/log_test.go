package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestLogLevel_flagAndAdmin(t *testing.T) {
	p := start(t, "dev", "--manifests", t.TempDir(), "--log-level", "error")
	set := func(level string) int {
		url := "http://" + p.admin + "/debug/log-level"
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(level))
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&http.Client{}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode
	}
	if got := get(p.admin, "/debug/log-level"); got != "error\n" || strings.Contains(p.err.String(), "Listening") {
		t.Errorf("the level is %q, and the log has:\n%s", got, p.err.String())
	}
	if status := set("warn"); status != http.StatusBadRequest {
		t.Errorf("an unknown level: status %d", status)
	}
	if status := set("debug"); status != http.StatusOK || get(p.admin, "/debug/log-level") != "debug\n" ||
		!strings.Contains(p.err.String(), `msg="Log level changed" from=error to=debug`) {
		t.Errorf("status %d, and the log has:\n%s", status, p.err.String())
	}
	p.stop(t)
	if status, _, stderr := run(t, "dev", "--manifests", t.TempDir(), "--log-level", "warn"); status != exitUsage {
		t.Errorf("an unknown level in the flag: status %d, %s", status, stderr)
	}
}
