package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/limpet-dev/limpet/pkg/sessions"
)

// Drainer drains pods. It is implemented by sessions.Fleet.
type Drainer interface {
	Drain(ctx context.Context, pod sessions.PodRef, wait time.Duration) (*sessions.Drained, error)
}

// drain serves POST /drain/{namespace}/{pod}?wait=60s. A pod may drain itself with its own token. Callers with Control may drain
// any pod.
func (o *Options) drain(w http.ResponseWriter, r *http.Request) {
	caller, err := o.Access.Identify(r)
	pod := sessions.PodRef{Namespace: r.PathValue("namespace"), Name: r.PathValue("pod")}
	switch {
	case err != nil:
		writeText(w, http.StatusServiceUnavailable, "the token cannot be verified now")
		return
	case caller.Control:
	case caller.isPod(pod):
		pod.UID = caller.PodUID
	case caller.Name == "":
		o.Access.refuse(w)
		return
	default:
		writeText(w, http.StatusForbidden, caller.Name+" may not drain this pod: it needs the pod's own token, or the right to control")
		return
	}
	wait, err := parseWait(r.URL.RawQuery)
	if err != nil {
		writeText(w, http.StatusBadRequest, err.Error())
		return
	}
	o.drainPod(w, r, pod, wait)
}

func (o *Options) drainPod(w http.ResponseWriter, r *http.Request, pod sessions.PodRef, wait time.Duration) {
	result, err := o.Drain.Drain(r.Context(), pod, wait)
	switch {
	case errors.Is(err, sessions.ErrUnknownPod):
		writeText(w, http.StatusNotFound, err.Error())
	case err != nil:
		w.Header().Set("Retry-After", "5")
		writeText(w, http.StatusServiceUnavailable, err.Error())
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(result) // the client is gone
	}
}

// isPod reports whether the caller is the pod, by a token that is bound to it.
func (c *Caller) isPod(pod sessions.PodRef) bool {
	return c.PodUID != "" && c.Pod != "" && c.Namespace == pod.Namespace && c.Pod == pod.Name
}

// parseWait parses the query of /drain. Without wait, it returns zero.
func parseWait(query string) (time.Duration, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, fmt.Errorf("query: %w", err)
	}
	for name, given := range values {
		if name != "wait" || len(given) > 1 {
			return 0, fmt.Errorf("query parameter %q: only wait is allowed, once", name)
		}
	}
	if !values.Has("wait") {
		return 0, nil
	}
	wait, err := time.ParseDuration(values.Get("wait"))
	if err != nil || wait < 0 || wait > sessions.MaxWait {
		return 0, fmt.Errorf("query parameter %q: must be a duration such as 60s, at most %s", "wait", sessions.MaxWait)
	}
	return wait, nil
}
