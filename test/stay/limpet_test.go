package stay

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/wait"
)

// limpet is a running process.
type limpet struct {
	http, admin string // addresses
	stop        func() // ends it gracefully; the test does so at its end
}

// startLimpet runs the binary with the given command and flags, and waits until it is ready.
func startLimpet(t *testing.T, args ...string) *limpet {
	t.Helper()
	l := &limpet{http: nextAddress(), admin: nextAddress()}
	args = append(args, "--http-addr", l.http, "--https-addr=", "--admin-addr", l.admin, "--access-log=false",
		"--trusted-proxies", "127.0.0.1", "--stop-delay=0s", "--stop-timeout=2s", "--log-format=text",
		"--metrics-detail=endpoint")
	cmd := exec.Command(programs.Limpet.Path(), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			t.Log(lines.Text())
		}
	}()
	l.stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-logged
		if err := cmd.Wait(); err != nil {
			t.Errorf("limpet ended badly: %v", err)
		}
	})
	t.Cleanup(l.stop)
	programs.AwaitReady(t, l.admin)
	return l
}

// lastPort counts up from below the kernel's ephemeral port range. No other process listens in the sandbox.
var lastPort atomic.Int32

func nextAddress() string { return fmt.Sprintf("127.0.0.1:%d", 10000+lastPort.Add(1)) }

// awaitEndpoints waits until the pools have just the given pods, in their states.
func (l *limpet) awaitEndpoints(t *testing.T, pods []podState, pools ...backend) {
	t.Helper()
	var want []string
	for _, p := range pods {
		if p.notReady {
			continue
		}
		state := "Ready"
		if p.terminating || p.drained {
			state = "Draining"
		}
		want = append(want, p.name+" "+state)
	}
	slices.Sort(want)
	wait.Until(t, fmt.Sprintf("the pools of %v have %v", pools, want), func() bool {
		got := l.endpoints(t)
		for _, w := range pools {
			if !slices.Equal(got[w.pool()], want) {
				return false
			}
		}
		return true
	})
}

// table is the part of /debug/table that tests look at.
type table struct {
	Generation int
	Pools      []struct {
		ID        string
		Endpoints []struct{ Pod, State string }
	}
	Problems []struct {
		Ref      struct{ Kind, Name string }
		Problems []struct{ Reason, Message string }
	}
}

func (l *limpet) table(t *testing.T) *table {
	t.Helper()
	answer, err := http.Get("http://" + l.admin + "/debug/table")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got := &table{}
	if err := json.NewDecoder(answer.Body).Decode(got); err != nil {
		t.Fatal(err)
	}
	return got
}

// generation counts the tables that were served.
func (l *limpet) generation(t *testing.T) int {
	t.Helper()
	return l.table(t).Generation
}

// endpoints returns which pods each pool has.
func (l *limpet) endpoints(t *testing.T) map[string][]string {
	t.Helper()
	pools := map[string][]string{}
	for _, p := range l.table(t).Pools {
		for _, e := range p.Endpoints {
			pools[p.ID] = append(pools[p.ID], e.Pod+" "+e.State)
		}
		slices.Sort(pools[p.ID])
	}
	return pools
}

// keyFile writes a file of keys for tokens: processes that are given the same keys open each other's tokens.
func keyFile(t *testing.T, keys ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(keys, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Two keys for tokens.
const (
	keyA = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	keyB = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="
)
