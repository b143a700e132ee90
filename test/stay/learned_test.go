package stay

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// The app's own id is learned unmodified: the client receives no value of Limpet's, and the id itself does not identify
// a pod to Limpet. Learned sessions are not part of the other scenarios, because they are lost with the process unless
// replicas share a store.
const (
	byLearned       backend = "learned"        // from a header of the app
	byLearnedCookie backend = "learned-cookie" // of the app
)

func learnedPolicies() map[backend]v1alpha1.AffinityPolicySpec {
	return map[backend]v1alpha1.AffinityPolicySpec{
		byLearned: policyOf(v1alpha1.Method{Source: v1alpha1.SourceHeader, Binding: v1alpha1.BindingLearned,
			Header: &v1alpha1.Header{Name: sessionHeader}}),
		byLearnedCookie: policyOf(v1alpha1.Method{Source: v1alpha1.SourceCookie, Binding: v1alpha1.BindingLearned,
			Cookie: cookieNamed(sessionCookie)}),
	}
}

func TestLearned_staysUntilPodIsGone(t *testing.T) {
	f := newFixture(t, 6, learnedPolicies())
	for _, w := range []backend{byLearned, byLearnedCookie} {
		sessions := newSessions(t, w, 0, clients)
		settle(t, f.limpet, sessions)
		expectNoneMoves(t, f.limpet, sessions, 3)
		gone := f.pods[0].name
		f.setPods(t, ready(f.pods[1:]...), w)
		each(t, sessions, func(s *session) error {
			if s.pod == gone {
				return s.settle(f.limpet, "/")
			}
			return s.stays(f.limpet, "/", 1)
		})
		expectNoneMoves(t, f.limpet, sessions, 3)
	}
}

func TestLearned_sharedStore(t *testing.T) {
	redis := startRedis(t)
	t.Setenv("LIMPET_SESSION_STORE", "redis://"+redis.address)
	f := newFixture(t, 6, learnedPolicies())
	other := f.start(t)
	for _, w := range []backend{byLearned, byLearnedCookie} {
		sessions := newSessions(t, w, 0, clients)
		before := f.limpet.written(t)
		settle(t, f.limpet, sessions)
		wait.Until(t, "the store has what was learned", func() bool { return f.limpet.written(t) >= before+clients })
		expectNoneMoves(t, other, sessions, 2)
		if w == byLearned {
			continue
		}
		redis.kill()
		expectNoneMoves(t, other, sessions, 2)
		expectNoneMoves(t, f.limpet, sessions, 2)
	}
}

var writtenMetric = regexp.MustCompile(`limpet_session_store_events_total\{event="written"\} (\d+)`)

// written is the number of bindings that this Limpet has written to the shared store.
func (l *limpet) written(t *testing.T) int {
	t.Helper()
	answer, err := http.Get("http://" + l.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	found := writtenMetric.FindSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

// redis is a real redis-server, of Debian's package, that keeps nothing on disk.
type redis struct {
	address string
	cmd     *exec.Cmd
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	r := &redis{address: nextAddress()}
	_, port, _ := net.SplitHostPort(r.address)
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", t.TempDir())
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(fmt.Errorf("starting redis-server, which Debian's package of that name has: %w", err))
	}
	t.Cleanup(r.kill)
	wait.Until(t, "redis-server listens", func() bool {
		conn, err := net.Dial("tcp", r.address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return r
}

func (r *redis) kill() {
	_ = r.cmd.Process.Kill() // it may have been killed before
	_ = r.cmd.Wait()
}
