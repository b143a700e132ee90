package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ExpiresSoon is the time before its expiry from which a certificate needs attention.
const ExpiresSoon = 14 * 24 * time.Hour

// Member is a replica of an installation, or the failure to reach it.
type Member struct {
	Name string `json:"name"`
	Node string `json:"node,omitempty"`
	// Error is why Replica is nil.
	Error   string   `json:"error,omitempty"`
	Replica *Replica `json:"replica,omitempty"`
}

// Summary is the state of an installation.
type Summary struct {
	Members []Member `json:"replicas"`
	// Agree reports whether all replicas respond and serve the same table.
	Agree bool `json:"agree"`
	// Leader is the name of the replica that leads, or "".
	Leader string `json:"leader,omitempty"`
	// Attention lists what an operator should look at. It is empty if the installation is healthy. Problems of objects are not in
	// it, because they concern the authors of these objects.
	Attention []string `json:"attention,omitempty"`
}

// Summarize compares the replicas of an installation.
func Summarize(members []Member, now time.Time) *Summary {
	s := &Summary{Members: members}
	digests := map[uint64][]string{}
	leaders, elects := []string{}, false
	for i := range members {
		m := &members[i]
		if m.Replica == nil {
			s.add("no state of %s: %s", m.Name, m.Error)
			continue
		}
		digests[m.Replica.Digest] = append(digests[m.Replica.Digest], m.Name)
		elects = elects || m.Replica.Role != ""
		if m.Replica.Role == RoleLeader {
			leaders = append(leaders, m.Name)
		}
		s.checkReplica(m)
	}
	responding := s.responding()
	s.Agree = len(digests) == 1 && len(responding) == len(members)
	if len(digests) > 1 {
		s.add("the replicas serve %d different tables: %s", len(digests), describeDigests(digests))
	}
	if len(leaders) == 1 {
		s.Leader = leaders[0]
	} else if elects && len(responding) == len(members) {
		s.add("%d replicas lead, instead of one", len(leaders))
	}
	if len(responding) > 0 {
		s.checkCertificates(responding[0], now)
	}
	return s
}

func (s *Summary) add(format string, args ...any) {
	s.Attention = append(s.Attention, fmt.Sprintf(format, args...))
}

// responding returns the replicas that respond, the leader first.
func (s *Summary) responding() (all []*Replica) {
	for i := range s.Members {
		switch r := s.Members[i].Replica; {
		case r == nil:
		case r.Role == RoleLeader:
			all = slices.Insert(all, 0, r)
		default:
			all = append(all, r)
		}
	}
	return all
}

func (s *Summary) checkReplica(m *Member) {
	if !m.Replica.Ready {
		s.add("%s is not ready", m.Name)
	}
	if !m.Replica.Store.Up {
		s.add("%s cannot reach the store of learned sessions", m.Name)
	}
}

func (s *Summary) checkCertificates(r *Replica, now time.Time) {
	for _, c := range r.Certificates {
		switch left := c.Expires.Sub(now); {
		case left <= 0:
			s.add("the certificate of Secret %s expired on %s", c.Secret, c.Expires.Format(time.DateOnly))
		case left < ExpiresSoon:
			s.add("the certificate of Secret %s expires on %s", c.Secret, c.Expires.Format(time.DateOnly))
		}
	}
}

// describeDigests lists the tables with the replicas that serve each.
func describeDigests(digests map[uint64][]string) string {
	var parts []string
	for _, digest := range slices.Sorted(maps.Keys(digests)) {
		parts = append(parts, digestText(digest)+" on "+strings.Join(digests[digest], ", "))
	}
	return strings.Join(parts, "; ")
}

// digestText returns a digest as in the log and in metrics.
func digestText(digest uint64) string { return fmt.Sprintf("%d", digest) }
