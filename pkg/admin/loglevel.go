package admin

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxLevelBytes bounds the body of a request that sets the log level.
const maxLevelBytes = 64

// logLevel responds with the current level of the log.
func (o *Options) logLevel(w http.ResponseWriter, _ *http.Request) {
	writeText(w, http.StatusOK, o.LogLevel())
}

// setLogLevel changes the level of the log to the name in the body, until the next change or the end of the process.
func (o *Options) setLogLevel(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLevelBytes))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		writeText(w, status, "the body must be the name of a log level")
		return
	}
	if err := o.SetLogLevel(strings.TrimSpace(string(body))); err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	o.logLevel(w, r)
}
