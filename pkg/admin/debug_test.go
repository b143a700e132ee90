package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
)

// put sends a PUT from loopback and returns the status and the body.
func put(t *testing.T, h http.Handler, path, body string, fields ...string) (int, string) {
	t.Helper()
	r := localRequest(t, path)
	r.Method, r.Body = http.MethodPut, io.NopCloser(strings.NewReader(body))
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestLogLevel_changes(t *testing.T) {
	ready, level := true, "info"
	o := testOptions(&ready)
	o.LogLevel = func() string { return level }
	o.SetLogLevel = func(name string) error {
		if name != "debug" {
			return errors.New("no such level")
		}
		level = name
		return nil
	}
	h := New(o).Handler()
	const page = "/debug/log-level"
	if status, body := get(t, h, page); status != http.StatusOK || body != "info\n" {
		t.Errorf("at first: status %d, %q", status, body)
	}
	for _, c := range []struct {
		body, field string
		want        int
	}{
		{"loud", "", http.StatusBadRequest},
		{strings.Repeat("debug", 20), "", http.StatusRequestEntityTooLarge},
		{"debug", "Sec-Fetch-Site: cross-site", http.StatusForbidden},
	} {
		if status, body := put(t, h, page, c.body, c.field); status != c.want || level != "info" {
			t.Errorf("%.8q with %q: status %d, %q, level %s", c.body, c.field, status, body, level)
		}
	}
	if status, body := put(t, h, page, "debug\n"); status != http.StatusOK || body != "debug\n" || level != "debug" {
		t.Errorf("status %d, %q, level %s", status, body, level)
	}
}

func TestHandler_guardsAllDebugPages(t *testing.T) {
	ready := true
	a := New(testOptions(&ready))
	for _, page := range []string{"table", "log-level", "pprof/", "pprof/heap", "pprof/profile", "pprof/trace"} {
		if status := request(t, a.Handler(), "10.1.2.3:5000", "/debug/"+page, ""); status != http.StatusForbidden {
			t.Errorf("%s for another pod: status %d", page, status)
		}
		if status := request(t, a.ProbeHandler(), "127.0.0.1:5000", "/debug/"+page, ""); status != http.StatusNotFound {
			t.Errorf("%s on the probe listener: status %d", page, status)
		}
	}
}

func TestProfiles_namedOnes(t *testing.T) {
	ready := true
	h := New(testOptions(&ready)).Handler()
	const compressed = "\x1f\x8b" // a profile is a protocol buffer in gzip
	for path, want := range map[string]struct {
		status int
		start  string
	}{
		"":                  {http.StatusOK, "profile\ntrace\nallocs\n"},
		"heap":              {http.StatusOK, compressed},
		"goroutine?debug=1": {http.StatusOK, "goroutine profile: total "},
		"goroutine?debug=2": {http.StatusOK, "goroutine "},
		"heap?debug=3":      {http.StatusBadRequest, "debug must be"},
		"heap?debug=x":      {http.StatusBadRequest, "debug must be"},
		"cmdline":           {http.StatusNotFound, "there is no such profile"},
		"symbol":            {http.StatusNotFound, "there is no such profile"},
		"profile?seconds=0": {http.StatusBadRequest, "seconds must be a number from 1 to 60"},
		"profile?seconds=61": {http.StatusBadRequest,
			"seconds must be a number from 1 to 60"},
		"trace?seconds=11": {http.StatusBadRequest, "seconds must be a number from 1 to 10"},
		"trace?seconds=1s": {http.StatusBadRequest, "seconds must be a number from 1 to 10"},
	} {
		if status, body := get(t, h, "/debug/pprof/"+path); status != want.status || !strings.HasPrefix(body, want.start) {
			t.Errorf("%s: status %d, %.40q", path, status, body)
		}
	}
}

// A recording ends with its client, and leaves the next one possible.
func TestProfiles_recordings(t *testing.T) {
	ready := true
	h := New(testOptions(&ready)).Handler()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the client is gone
	for path, start := range map[string]string{"profile?seconds=60": "\x1f\x8b", "trace": "go 1."} {
		for range 2 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, localRequest(t, "/debug/pprof/"+path).WithContext(ctx))
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), start) {
				t.Errorf("%s: status %d, %.20q", path, w.Code, w.Body)
			}
		}
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	if status, body := get(t, h, "/debug/pprof/profile"); status != http.StatusConflict {
		t.Errorf("beside another recording: status %d, %.40q", status, body)
	}
}
