package stay

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"k8s.io/utils/ptr"
)

// stream is one that a session has open.
type stream struct {
	*session
	body *bufio.Reader
}

// open requests a stream and reads its first event.
func (s *session) open(t *testing.T, l *limpet) (*stream, error) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.http+"/stream", nil)
	if err != nil {
		return nil, err
	}
	r.Host, r.Header = s.backend.host(), s.header.Clone()
	got, err := s.http.Do(r)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { got.Body.Close() })
	out := &stream{s, bufio.NewReader(got.Body)}
	s.pod, err = out.next()
	return out, err
}

// next reads an event, which is the name of a pod.
func (s *stream) next() (pod string, err error) {
	line, err := s.body.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: its stream ended: %w", s, err)
	}
	if _, err := s.body.ReadString('\n'); err != nil {
		return "", err
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "data: ")), nil
}

// No configuration change closes a stream, not even a change of its own route, Service or policy.
func TestConfigurationChange_keepsStreams(t *testing.T) {
	f := newFixture(t, 6, nil)
	t.Cleanup(f.letGo)
	var streams []*stream
	for _, s := range newSessions(t, byCookie, 0, clients) {
		opened, err := s.open(t, f.limpet)
		if err != nil {
			t.Fatal(err)
		}
		streams = append(streams, opened)
	}
	for n := range 20 {
		other := backend(fmt.Sprintf("elsewhere-%d", n))
		f.apply(t, other.service())
		f.apply(t, other.slice(ready(f.pods[:1]...)))
		f.apply(t, other.ingress())
	}
	ingress, policy := byCookie.ingress(), byCookie.policy()
	ingress.Annotations = map[string]string{"limpet.dev/affinity": "source-ip"}
	policy.Spec.AbsoluteTimeout, policy.Spec.MovedHeader = ptr.To(policy.Spec.Drain.Timeout+"1h"), movedHeader
	f.apply(t, ingress)
	f.apply(t, policy)
	terminating := ready(f.pods...)
	for i := range terminating {
		terminating[i].terminating = true
	}
	f.setPods(t, terminating, byCookie)
	f.remove(t, ingress)
	f.awaitStatus(t, byCookie, "/", 404)
	if n := f.held(); n != clients {
		t.Errorf("%d of %d streams are open", n, clients)
	}
	f.letGo()
	for _, s := range streams {
		if pod, err := s.next(); err != nil || pod != s.pod {
			t.Fatalf("%s: was on %s, is on %s, %v", s, s.pod, pod, err)
		}
	}
}
