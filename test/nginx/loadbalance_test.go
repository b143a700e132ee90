package nginx

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/wait"
)

// round_robin takes turns. ewma prefers the pods that respond sooner.
func TestWire_loadBalance(t *testing.T) {
	addresses := []string{"10.250.0.21", "10.250.0.22"}
	slow := newSlowPod(t, addresses[1])
	startPod(t, addresses[0], pod(addresses[0]))
	l := serve(t, nil,
		sticky("turns", map[string]string{"load-balance": "round_robin"}, addresses...),
		sticky("fast", map[string]string{"load-balance": "ewma"}, addresses...))
	if used := l.count(t, "http://turns.test/app", 10); used[addresses[0]] != 5 || used[addresses[1]] != 5 {
		t.Errorf("round_robin sent %v", used)
	}
	slow.respondLate(t, l, "http://fast.test/app")
	if used := l.count(t, "http://fast.test/app", 50); used[addresses[0]] < 40 {
		t.Errorf("ewma sent %v, although the second pod is slow", used)
	}
}

// count sends requests and returns how many each pod received.
func (l *limpet) count(t *testing.T, url string, requests int) map[string]int {
	t.Helper()
	used := map[string]int{}
	for range requests {
		used[parseSeen(t, send(t, l.client, &request{URL: url}, nil).body).Pod]++
	}
	return used
}

// slowPod responds to requests whose path ends with /slow after release is closed.
type slowPod struct {
	address          string
	arrived, release chan struct{}
}

func newSlowPod(t *testing.T, address string) *slowPod {
	t.Helper()
	s := &slowPod{address, make(chan struct{}), make(chan struct{})}
	startPod(t, address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			close(s.arrived)
			<-s.release
		}
		pod(address).ServeHTTP(w, r)
	}))
	return s
}

// respondLate makes one request to the pod take ten times as long as the slowest of all others, however fast the machine is.
func (s *slowPod) respondLate(t *testing.T, l *limpet, url string) {
	t.Helper()
	longest := time.Duration(0)
	get := func(url string) (pod string) {
		began := time.Now()
		pod = parseSeen(t, send(t, l.client, &request{URL: url}, nil).body).Pod
		longest = max(longest, time.Since(began))
		return pod
	}
	for range 10 {
		get(url)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			resp, err := l.client.Get(url + "/slow")
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			select {
			case <-s.arrived:
				return
			default: // it went to the other pod
			}
		}
	}()
	<-s.arrived
	began := time.Now()
	wait.Until(t, "the request has taken long", func() bool {
		get(url)
		return time.Since(began) > 10*longest
	})
	close(s.release)
	<-done
}
