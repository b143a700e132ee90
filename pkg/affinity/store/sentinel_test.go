package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// startSentinel starts a sentinel that monitors a master under the name main.
func startSentinel(t *testing.T, master *redisServer) *redisServer {
	t.Helper()
	port := freePort(t)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	config := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 %d 1\n"+
		"sentinel down-after-milliseconds main 200\nsentinel failover-timeout main 1000\n", port, master.port)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &redisServer{port: port, args: []string{file, "--sentinel"}}
	s.start(t)
	t.Cleanup(s.kill)
	return s
}

func TestSentinel_failover(t *testing.T) {
	master := startRedis(t)
	spare := startRedis(t, "--replicaof", "127.0.0.1", strconv.Itoa(master.port), "--repl-diskless-sync-delay", "0")
	eventually(t, "a spare that follows", func() bool {
		return strings.Contains(spare.command("INFO", "replication"), "master_link_status:up")
	})
	guard := startSentinel(t, master)
	eventually(t, "a sentinel that knows the spare", func() bool {
		return strings.Contains(guard.command("INFO", "sentinel"), "slaves=1")
	})
	url := "redis+sentinel://" + guard.addr() + "/main"
	one := open(t, url, defaultWait)
	for i := range 100 {
		one.Remember(scope, id(i), podA)
	}
	one.waitWritten(t)
	eventually(t, "a spare that has all", func() bool { return spare.command("DBSIZE") == ":100" })

	master.kill()
	for i := range 100 {
		withinWait(t, func() { wantPod(t, one, id(i), podA) })
	}
	for i := range 100 {
		withinWait(t, func() { wantPod(t, one, id(1000+i), none) })
	}
	one.Remember(scope, id(200), podB)
	eventually(t, "the spare as master, with what was bound meanwhile", func() bool {
		wantPod(t, one, id(200), podB)
		return spare.command("DBSIZE") == ":101"
	})
	one.waitWritten(t)
	two := open(t, url)
	for i := range 100 {
		wantPod(t, two, id(i), podA)
	}
	wantPod(t, two, id(200), podB)
	two.Remember(scope, id(1), podB)
	eventually(t, "a move, on the replica that has seen the old master die", func() bool {
		key, _ := one.Lookup(scope, id(1))
		return key == podB
	})
}
