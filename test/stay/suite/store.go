package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// sharer is a driver whose replicas share learned sessions.
type sharer interface {
	// startStore starts a store that is a program of its own, and stopStore ends it.
	startStore() error
	stopStore()
	// loseStore calls during while the store is lost.
	loseStore(p *programs, during func()) error
	// shared returns the number of sessions that replicas can learn of from others.
	shared(p *programs) int
}

// redis is a redis-server that keeps nothing on disk.
type redis struct{ process *os.Process }

// redisAddress is in the sandbox, in which no other process listens.
const redisAddress = "127.0.0.1:6379"

func (s *redis) start() error {
	_, port, _ := net.SplitHostPort(redisAddress)
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", os.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting redis-server, which Debian has in a package of that name: %w", err)
	}
	s.process = cmd.Process
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	return await("redis-server", ended, func() bool { return s.sessions() >= 0 })
}

func (s *redis) stop() {
	if s.process != nil {
		_ = s.process.Kill()
		_ = await("the end of redis-server", nil, func() bool { return s.sessions() < 0 })
		s.process = nil
	}
}

// sessions returns the number of keys, or -1 if there is no response.
func (s *redis) sessions() int {
	conn, err := net.DialTimeout("tcp", redisAddress, time.Second)
	if err != nil {
		return -1
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	keys := -1
	if _, err := io.WriteString(conn, "DBSIZE\r\n"); err == nil {
		_, err = fmt.Fscanf(conn, ":%d", &keys)
		if err != nil {
			return -1
		}
	}
	return keys
}

func (l limpet) startStore() error { return l.store.start() }

func (l limpet) stopStore() { l.store.stop() }

func (l limpet) loseStore(_ *programs, during func()) error {
	l.store.stop()
	during()
	return l.store.start()
}

func (l limpet) shared(*programs) int { return l.store.sessions() }

// haproxyTable learns the cookies of the app in a stick table, which replicas share as peers.
type haproxyTable struct{ haproxy }

func (haproxyTable) about() about {
	return about{
		name: "haproxy-table", version: firstLine("haproxy", "-v"), files: []string{"haproxy-table.cfg"},
		timed: true, learns: true, slow: true,
		notes: []string{
			"`stick on` a cookie of the app, and `stick store-response`, in a table with `peers`, so that replicas learn from each " +
				"other, and a new process learns from the old one.",
			"`srvkey addr`: peers name servers by address, because each replica has its own slots.",
			"A change waits until the process has requested the tables of its peers, which takes five seconds after a start. A reload " +
				"before that moves nearly all sessions. So each scenario is run once.",
			"Otherwise as `haproxy`.",
		},
	}
}

func (haproxyTable) cannot(scenario string) string {
	switch scenario {
	case adoption, adoptionBalanced:
		return notAdopted
	case keyRotation:
		return "it has no keys"
	case tampered, foreign, idleReplay, reusedAddress:
		return "the id is the app's, so it does not show the choice of the proxy"
	}
	return ""
}

func (haproxyTable) command(r *replica) []string {
	return []string{"haproxy", "-db", "-f", r.Dir + "/haproxy-table.cfg", "-L", fmt.Sprintf("peer%d", r.Index)}
}

func (h haproxyTable) update(r *replica, old *state) error { return r.updateHAProxy(h.command(r), old) }

// await also waits until the process may send its table to others. At the start, it first waits five seconds for theirs.
func (h haproxyTable) await(r *replica) error {
	if err := h.haproxy.await(r); err != nil {
		return err
	}
	return await("a table that peers may learn", r.ended, func() bool {
		output, err := r.query("show peers")
		return err == nil && strings.Contains(output, "resync_timeout=<PAST>")
	})
}

func (haproxyTable) startStore() error { return nil }

func (haproxyTable) stopStore() {}

// loseStore ends the other replica. It learns the sessions again when it is back.
func (haproxyTable) loseStore(p *programs, during func()) error {
	p.replicas[1].end(syscall.SIGTERM)
	during()
	return p.run(p.replicas[1])
}

// shared returns the number of entries in the table of the other replica.
func (haproxyTable) shared(p *programs) int {
	output, err := p.replicas[1].query("show table cart")
	if err != nil {
		return -1
	}
	return strings.Count(output, "server_id=") - strings.Count(output, "server_id=0")
}
