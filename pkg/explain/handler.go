package explain

import (
	"encoding/json"
	"errors"
	"net/http"
)

// ServeHTTP explains the Request in the JSON body of a POST, and responds with the Report as JSON. It responds with 400 and a
// line of text if the Request is invalid.
func (x *Explainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request Request
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBytes))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		http.Error(w, "explain: invalid request: "+err.Error(), http.StatusBadRequest)
		return
	}
	report, err := x.Explain(&request)
	switch {
	case errors.Is(err, errNotReady):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(report) // the client is gone
}
