package main

import (
	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/upstream"
)

// logHealth logs that an endpoint was ejected, or works again.
func logHealth(log logr.Logger, h *upstream.HealthChange) {
	log = log.WithValues("pool", h.Pool.Name, "endpoint", h.Endpoint, "reason", h.Reason.String())
	if h.IsOut {
		log.Info("Pod ejected: its requests fail")
		return
	}
	log.Info("Pod works again")
}
