package store

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisServer is a real server from Debian's package redis-server. It keeps its loopback port when it is restarted.
type redisServer struct {
	port int
	args []string
	cmd  *exec.Cmd
}

func startRedis(t testing.TB, args ...string) *redisServer {
	t.Helper()
	port := freePort(t)
	r := &redisServer{port: port, args: append([]string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, args...)}
	r.start(t)
	t.Cleanup(func() { r.kill() })
	return r
}

func (r *redisServer) start(t testing.TB) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("%v: these tests need Debian's package redis-server", err)
	}
	r.cmd = exec.Command(path, r.args...)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a Redis that answers", func() bool { return r.command("PING") != "" })
}

// kill stops the server with SIGKILL.
func (r *redisServer) kill() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait() // reports the signal
		r.cmd = nil
	}
}

// freeze stops the server process, which keeps its connections open but does not respond.
func (r *redisServer) freeze(t testing.TB) { r.signal(t, syscall.SIGSTOP) }
func (r *redisServer) thaw(t testing.TB)   { r.signal(t, syscall.SIGCONT) }

func (r *redisServer) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (r *redisServer) addr() string { return fmt.Sprintf("127.0.0.1:%d", r.port) }
func (r *redisServer) url() string  { return "redis://" + r.addr() }

// command sends a command in the inline form. It returns the first line of the reply, or a string reply, or "".
func (r *redisServer) command(words ...string) string {
	conn, err := net.DialTimeout("tcp", r.addr(), time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "%s\r\n", strings.Join(words, " "))
	in := bufio.NewReader(conn)
	line, _ := in.ReadString('\n')
	if n, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "$"))); err == nil && n > 0 && line[0] == '$' {
		value := make([]byte, n)
		_, _ = io.ReadFull(in, value)
		return string(value)
	}
	return strings.TrimSpace(line)
}

func (r *redisServer) must(t testing.TB, words ...string) string {
	t.Helper()
	answer := r.command(words...)
	if answer == "" || answer[0] == '-' {
		t.Fatalf("%v: %q", words, answer)
	}
	return answer
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// replica is a Store with its events and logs.
type replica struct {
	bindings
	events events
	log    logs
	clock  *clock
}

// open returns a Store with a long Wait, for slow machines. Tests of unresponsive servers use defaultWait.
func open(t testing.TB, url string, change ...func(*Options)) *replica {
	t.Helper()
	r := &replica{clock: newClock()}
	o := Options{Wait: 10 * time.Second, Retry: 5 * time.Millisecond, Now: r.clock.now, Observe: r.events.observe, Log: r.log.logger()}
	for _, f := range change {
		f(&o)
	}
	s, err := Open(url, o)
	if err != nil {
		t.Fatal(err)
	}
	r.bindings = bindings{s}
	t.Cleanup(s.Close)
	return r
}

// defaultWait selects the default of Wait.
func defaultWait(o *Options) { o.Wait = 0 }

// isUp reports whether the last state event was Up.
func (r *replica) isUp() bool { return r.events.count(Up) > r.events.count(Down) }

// waitWritten waits until no writes are queued.
func (r *replica) waitWritten(t testing.TB) {
	t.Helper()
	eventually(t, "no session that is still to be written", r.clean)
}

func (r *replica) clean() bool {
	shards := &r.Store.(*shared).table.shards
	for i := range shards {
		if dirty(&shards[i]) {
			return false
		}
	}
	return true
}

func dirty(s *shard) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.slots {
		if s.slots[i].dirty {
			return true
		}
	}
	return false
}
