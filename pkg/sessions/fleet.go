package sessions

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/peers"
)

// PeerPath is the path at which replicas request the counts of each other.
const PeerPath = "/peers/sessions"

// maxReport bounds the report of another replica in bytes. 1,000 pods with thousands of sessions each have about 16 MB.
const maxReport = 64 << 20

// Fleet counts the live sessions of this replica and of the others. It is safe for concurrent use.
type Fleet struct {
	Counter
	// Peers sends requests to the other replicas. Nil means that there are no other replicas.
	Peers *peers.Client
	// Unknown is why the other replicas are not known. It is empty if they are.
	Unknown string

	waiting waiting // calls of Drain
}

// Total counts the sessions of the selected pods over all replicas. A replica that does not respond is in Report.Missing.
func (f *Fleet) Total(ctx context.Context, q Query) *Report {
	reports := []*Report{f.Report(q, time.Now())}
	var missing []Replica
	if f.Unknown != "" {
		missing = append(missing, Replica{Error: f.Unknown})
	}
	if f.Peers != nil {
		for _, response := range f.Peers.Do(ctx, http.MethodGet, PeerPath+"?"+q.Encode(), nil, maxReport) {
			replica := Replica{Name: response.Name, Address: response.Address.String()}
			report, err := decode(&response)
			if err != nil {
				replica.Error = err.Error()
				missing = append(missing, replica)
				continue
			}
			report.Replicas = []Replica{replica}
			reports = append(reports, report)
		}
	}
	sum := merge(reports)
	sum.Replicas = append(sum.Replicas, missing...)
	return sum
}

// decode parses the report of another replica.
func decode(response *peers.Response) (*Report, error) {
	if response.Err != nil {
		return nil, response.Err
	}
	report := &Report{}
	if err := json.Unmarshal(response.Body, report); err != nil {
		return nil, fmt.Errorf("sessions: invalid report: %w", err)
	}
	if err := report.unpack(); err != nil {
		return nil, err
	}
	return report, nil
}

// ServeHTTP serves GET /sessions?pool=namespace/service:port&pod=name. With replicas=all, it counts over all replicas.
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, all, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if all {
		writeJSON(w, f.Total(r.Context(), q))
		return
	}
	writeJSON(w, f.Report(q, time.Now()))
}

// ServePeer serves the report of this replica, with the sets of sessions, to other replicas.
func (f *Fleet) ServePeer(w http.ResponseWriter, r *http.Request) {
	q, _, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	report := f.Report(q, time.Now())
	if err := report.pack(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, report)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(value) // the client is gone
}
