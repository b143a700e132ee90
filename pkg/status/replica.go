package status

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// maxCertificates bounds the certificates in a Replica.
const maxCertificates = 20

// The values of Replica.Role.
const (
	RoleLeader   = "leader"
	RoleFollower = "follower"
)

// Replica is the state of one replica.
type Replica struct {
	Version string `json:"version"`
	// Ready reports whether the replica should receive traffic.
	Ready bool `json:"ready"`
	// Role is RoleLeader or RoleFollower, or "" if the replica takes part in no election.
	Role string `json:"role,omitempty"`
	// Generation counts the tables of the replica. Digest is equal for replicas that serve the same hosts and routes.
	Generation uint64    `json:"generation"`
	Digest     uint64    `json:"digest"`
	BuiltAt    time.Time `json:"builtAt,omitzero"`
	Routes     int       `json:"routes"`
	Pools      int       `json:"pools"`
	// EmptyPools is the number of pools without a ready endpoint.
	EmptyPools int `json:"emptyPools"`
	// Problems is the number of problems of objects by reason.
	Problems map[string]int `json:"problems,omitempty"`
	// Certificates are up to 20 certificates in use, those first that expire first.
	Certificates []Certificate `json:"certificates,omitempty"`
	Store        Store         `json:"store"`
}

// Certificate is a certificate in use.
type Certificate struct {
	Secret  string    `json:"secret"`
	Expires time.Time `json:"expires"`
}

// Store is the store of learned sessions.
type Store struct {
	// Shared reports whether the replicas share the store. Otherwise each has its own memory.
	Shared bool `json:"shared"`
	Up     bool `json:"up"`
}

// Describe sets the fields that depend on the model and the pools. m may be nil: nothing is published yet.
func (r *Replica) Describe(m *model.Model, pools *upstream.Registry) {
	if m == nil {
		return
	}
	r.Routes, r.Pools = len(m.Routes), len(m.Pools)
	for i := range m.Pools {
		if pools.Pool(m.Pools[i].ID).Set().Ready() == 0 {
			r.EmptyPools++
		}
	}
	for i := range m.Certificates {
		if c := &m.Certificates[i]; c.Pair != nil && c.Pair.Leaf != nil {
			r.Certificates = append(r.Certificates, Certificate{c.Secret.Namespace + "/" + c.Secret.Name, c.Pair.Leaf.NotAfter.UTC()})
		}
	}
	slices.SortFunc(r.Certificates, func(a, b Certificate) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.Secret, b.Secret))
	})
	r.Certificates = slices.Compact(r.Certificates)
	r.Certificates = r.Certificates[:min(len(r.Certificates), maxCertificates)]
}

// Handler returns a handler that responds with the result of describe as JSON.
func Handler(describe func() *Replica) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(describe()) // the client is gone
	}
}
