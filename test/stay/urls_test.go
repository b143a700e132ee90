package stay

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// Ids in the URL: in the query, in the path as servlet containers write them, and in a segment of the path.
func TestURL_sessionID(t *testing.T) {
	sid := &v1alpha1.QueryParam{Name: "jsessionid"}
	f := newFixture(t, 6, map[backend]v1alpha1.AffinityPolicySpec{
		"query-named": policyOf(v1alpha1.Method{Source: v1alpha1.SourceQueryParam, Binding: v1alpha1.BindingNamed, QueryParam: sid}),
		"path-named": policyOf(v1alpha1.Method{Source: v1alpha1.SourcePathSegment, Binding: v1alpha1.BindingNamed,
			PathSegment: &v1alpha1.PathSegment{Index: 1}}),
		"query-learned": policyOf(v1alpha1.Method{Source: v1alpha1.SourceQueryParam, Binding: v1alpha1.BindingLearned, QueryParam: sid}),
	})
	for _, c := range []struct {
		backend backend
		url     string // with the id
		names   bool   // the id ends in the pod's name
	}{
		{"query-named", "/?a=b&jsessionid=%s", true},
		{"query-named", "/shop;jsessionid=%s?a=b", true},
		{"path-named", "/in/%s/there", true},
		{"query-learned", "/?jsessionid=%s", false},
		{"query-learned", "/shop;jsessionid=%s", false},
	} {
		t.Run(string(c.backend)+" "+c.url, func(t *testing.T) {
			each(t, newSessions(t, c.backend, 0, clients), func(s *session) error {
				home := f.pods[s.number%len(f.pods)].name
				id := fmt.Sprintf("%d-%d", len(c.url), s.number)
				if c.names {
					id += "." + home
				}
				for turn := range 4 {
					a, err := s.askURL(t, f.limpet, fmt.Sprintf(c.url, id))
					if err != nil {
						return err
					}
					if turn == 0 && !c.names {
						home = a.pod
					}
					if a.pod != home || a.values() > 0 {
						return fmt.Errorf("%s: turn %d, served by %s, its pod is %s", s, turn, a.pod, home)
					}
				}
				return nil
			})
		})
	}
}

// askURL sends one request for a URL as it is written.
func (s *session) askURL(t *testing.T, l *limpet, url string) (*response, error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.http+url, nil)
	if err != nil {
		return nil, err
	}
	r.Host, r.Header = s.backend.host(), s.header.Clone()
	return s.send(r)
}
