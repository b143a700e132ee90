package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// replica is a running limpet process.
type replica struct {
	http, admin string
	process     *os.Process
	hostPID     int // the PID in /proc, which shows the namespace outside the sandbox
	started     time.Time
	log         *os.File
	leads       atomic.Bool
	ended       chan struct{}
}

// start starts limpet with fixed flags. number selects its ports, and address is written to the status of Ingresses.
func (b *bench) start(number int, address string, flags ...string) (*replica, error) {
	r := &replica{ended: make(chan struct{})}
	r.http, r.admin = fmt.Sprint("127.0.0.1:1808", number), fmt.Sprint("127.0.0.1:1909", number)
	args := append([]string{"run", "--kubeconfig", b.kubeconfig, "--namespace", limpetNamespace, "--http-addr", r.http,
		"--https-addr", "", "--admin-addr", r.admin, "--publish-address", address, "--access-log=false",
		"--stop-delay=2s", "--stop-timeout=1s", fmt.Sprint("--memory-limit=", b.memoryLimit)}, flags...)
	cmd := exec.Command(b.limpet, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if r.log, err = os.Create(filepath.Join(b.dir, fmt.Sprintf("limpet-%d.log", number))); err != nil {
		return nil, err
	}
	r.started = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.process = cmd.Process
	go func() {
		defer close(r.ended)
		r.follow(bufio.NewScanner(output))
		_ = cmd.Wait()
	}()
	r.hostPID, err = hostPID(cmd.Process.Pid)
	return r, err
}

// follow copies the log to a file, and notices when the replica begins to lead.
func (r *replica) follow(lines *bufio.Scanner) {
	defer r.log.Close()
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(r.log, lines.Text())
		if strings.Contains(lines.Text(), "Started leading") {
			r.leads.Store(true)
		}
	}
}

// hasEnded reports whether the process has exited.
func (r *replica) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// await returns when holds returns true. It fails if the process ends, or after the limit.
func (r *replica) await(ctx context.Context, what string, limit time.Duration, holds func() bool) error {
	for deadline := time.Now().Add(limit); !holds(); pause(ctx, time.Millisecond) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if r.hasEnded() || time.Now().After(deadline) {
			text, _ := os.ReadFile(r.log.Name())
			return fmt.Errorf("limpet ended, or %s took more than %s; the end of its log:\n%s", what, limit, text[max(0, len(text)-4000):])
		}
	}
	return nil
}

// isReady reports whether /readyz succeeds.
func (r *replica) isReady() bool { return isReadyAt(r.admin) }

// stop ends the process. The process releases the lease during its stop delay.
func (r *replica) stop() {
	_ = r.process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(20 * time.Second):
		_ = r.process.Kill()
		<-r.ended
	}
}

// usage is the resources that a process has used.
type usage struct {
	cpu            time.Duration // user and kernel mode
	resident, peak int64         // memory, in bytes
}

// usage returns the resources that the process has used so far.
func (r *replica) usage() (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.hostPID))
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.hostPID))
	if err != nil {
		return usage{}, err
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name of the program may contain spaces
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return usage{}, errors.New("/proc/PID/stat is incomplete")
	}
	ticks, err := strconv.Atoi(fields[11])
	if err != nil {
		return usage{}, err
	}
	kernel, err := strconv.Atoi(fields[12])
	if err != nil {
		return usage{}, err
	}
	const tick = time.Second / 100
	return usage{time.Duration(ticks+kernel) * tick, kibibytes(status, "VmRSS:"), kibibytes(status, "VmHWM:")}, nil
}

// cpuTime returns the CPU time of all threads of the process so far, with the resolution of the scheduler. The runtime of Go does
// not end threads in normal operation.
func (r *replica) cpuTime() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", r.hostPID))
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		onCPU, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(onCPU, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	if total == 0 {
		return 0, errors.New("/proc/PID/task/*/schedstat does not have the CPU time of the process")
	}
	return total, nil
}

// kibibytes returns a value of /proc/PID/status in bytes, or 0 if it is missing.
func kibibytes(status []byte, name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(valueOf(status, name), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// valueOf returns a value of /proc/PID/status.
func valueOf(status []byte, name string) string {
	_, rest, _ := bytes.Cut(status, []byte("\n"+name))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strings.TrimSpace(string(line))
}

// hostPID returns the PID by which /proc has a child. The sandbox has a PID namespace of its own, but the /proc from outside.
func hostPID(pid int) (int, error) {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, entry := range entries {
		outer, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		status, _ := os.ReadFile(filepath.Join("/proc", entry.Name(), "status"))
		pids := strings.Fields(valueOf(status, "NSpid:"))
		namespace, _ := os.Readlink(filepath.Join("/proc", entry.Name(), "ns/pid"))
		if len(pids) > 0 && pids[len(pids)-1] == strconv.Itoa(pid) && namespace == own {
			return outer, nil
		}
	}
	return 0, fmt.Errorf("/proc does not have process %d", pid)
}
