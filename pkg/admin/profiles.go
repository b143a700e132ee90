package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"time"
)

// The durations of profiles of the CPU and of traces. The work of tracing is noticeable, so a trace is short.
const (
	defaultProfile = 30 * time.Second
	maxProfile     = 60 * time.Second
	defaultTrace   = time.Second
	maxTrace       = 10 * time.Second
)

// listProfiles lists the names of the profiles. The command line is not among them, because it may have a password.
func listProfiles(w http.ResponseWriter, _ *http.Request) {
	names := []string{"profile", "trace"}
	for _, p := range pprof.Profiles() {
		names = append(names, p.Name())
	}
	writeText(w, http.StatusOK, strings.Join(names, "\n"))
}

// profile writes the profile that the path names, in the format of go tool pprof or, for trace, of go tool trace.
func profile(w http.ResponseWriter, r *http.Request) {
	switch name := r.PathValue("name"); name {
	case "profile":
		record(w, r, defaultProfile, maxProfile, pprof.StartCPUProfile, pprof.StopCPUProfile)
	case "trace":
		record(w, r, defaultTrace, maxTrace, trace.Start, trace.Stop)
	default:
		writeProfile(w, name, r.URL.Query().Get("debug"))
	}
}

// record writes what happens in the seconds of the query. There is one recording at a time.
func record(w http.ResponseWriter, r *http.Request, d, most time.Duration, start func(io.Writer) error, stop func()) {
	if text := r.URL.Query().Get("seconds"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 || seconds > int(most/time.Second) {
			writeText(w, http.StatusBadRequest, fmt.Sprintf("seconds must be a number from 1 to %d", int(most/time.Second)))
			return
		}
		d = time.Duration(seconds) * time.Second
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := start(w); err != nil {
		writeText(w, http.StatusConflict, err.Error())
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(r.Context(), d)
	defer cancel()
	<-ctx.Done() // the time is over, or the client is gone
}

// writeProfile writes a profile of runtime/pprof. With debug 1 or 2, it is text.
func writeProfile(w http.ResponseWriter, name, debug string) {
	p := pprof.Lookup(name)
	if p == nil {
		writeText(w, http.StatusNotFound, "there is no such profile: /debug/pprof/ lists them")
		return
	}
	detail, contentType := 0, "application/octet-stream"
	switch debug {
	case "", "0":
	case "1", "2":
		detail, contentType = int(debug[0]-'0'), "text/plain; charset=utf-8"
	default:
		writeText(w, http.StatusBadRequest, "debug must be 0, 1 or 2")
		return
	}
	w.Header().Set("Content-Type", contentType)
	_ = p.WriteTo(w, detail) // the client is gone
}
