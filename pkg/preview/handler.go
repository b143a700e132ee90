package preview

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/translate"
)

const (
	// MaxBytes bounds the manifests that a Handler reads.
	MaxBytes = 4 << 20
	// maxIngresses bounds the fleet that a Handler translates twice. 2,000 Ingresses with a route and a policy each take about
	// 0.1 seconds, and 60 MB of garbage.
	maxIngresses = 2000
)

// Handler previews manifests against what a running Limpet serves. Its fields are required.
type Handler struct {
	// Snapshot returns the objects that are served, nil before the first table.
	Snapshot func() *translate.Snapshot
	Options  translate.Options
	// Read reads manifests. Its errors are for the client.
	Read func(io.Reader) (*translate.Snapshot, error)

	busy chan struct{}
}

// NewHandler returns h, ready to serve.
func NewHandler(h Handler) *Handler {
	h.busy = make(chan struct{}, 1)
	return &h
}

// ServeHTTP compares the state with and without the manifests in the body, which are YAML or JSON, and responds with the Report
// as JSON. It serves one request at a time, and responds with 503 to others and with 400 to invalid manifests.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	default:
		http.Error(w, "check: another check is running", http.StatusServiceUnavailable)
		return
	}
	manifests, err := h.Read(http.MaxBytesReader(w, r.Body, MaxBytes))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "check: "+err.Error(), status)
		return
	}
	served := h.Snapshot()
	switch {
	case served == nil:
		http.Error(w, "check: no routing table is published yet", http.StatusServiceUnavailable)
		return
	case len(served.Ingresses) > maxIngresses:
		http.Error(w, "check: the cluster has too many Ingresses to check inside a replica: use limpet check --cluster -f FILE",
			http.StatusServiceUnavailable)
		return
	}
	before := translate.Build(served, nil, h.Options)
	after := translate.Build(Overlay(served, manifests, time.Now()), before.Model, h.Options)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(Compare(before, after, nil)) // the client is gone
}
