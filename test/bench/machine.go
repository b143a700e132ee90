package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Cores: the proxy under test has its own.
const (
	proxyCore = 0
	loadCore  = 1
)

// pin restricts a process and its future children to one core.
func pin(pid, core int) error {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return err
	}
	mask := [16]uint64{1 << core}
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(tid), unsafe.Sizeof(mask),
			uintptr(unsafe.Pointer(&mask)))
		if errno != 0 {
			return fmt.Errorf("pinning process %d to core %d: %w", pid, core, errno)
		}
	}
	return nil
}

// usage is the resource usage of a process and its children.
type usage struct {
	cpu      time.Duration // user and kernel mode
	resident int64         // current resident memory in bytes
	peak     int64         // peak resident memory in bytes
}

func usageOf(pid int) (usage, error) {
	var total usage
	for _, p := range append(children(pid), pid) {
		cpu, err := cpuTime(p)
		if err != nil {
			return total, err
		}
		total.cpu += cpu
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		if err != nil {
			return total, err
		}
		total.resident += kibibytes(status, "VmRSS:")
		total.peak += kibibytes(status, "VmHWM:")
	}
	return total, nil
}

// cpuTime sums the CPU time of all threads, in nanoseconds (proc_pid_schedstat).
func cpuTime(pid int) (time.Duration, error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, thread := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, thread.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has exited
		}
		if err != nil {
			return 0, err
		}
		nanoseconds, _, _ := strings.Cut(string(text), " ")
		n, err := strconv.ParseInt(nanoseconds, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	return total, nil
}

// kibibytes returns a value of /proc/PID/status in bytes, or 0 if it is missing.
func kibibytes(status []byte, name string) int64 {
	_, rest, _ := bytes.Cut(status, []byte(name))
	line, _, _ := bytes.Cut(rest, []byte("kB"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

func children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range bytes.FieldsSeq(text) {
		if child, err := strconv.Atoi(string(field)); err == nil {
			pids = append(pids, append(children(child), child)...)
		}
	}
	return pids
}

// coreTime returns the busy time of a core, with a resolution of 10 ms (proc_stat).
func coreTime(core int) time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, fmt.Appendf(nil, "cpu%d ", core))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	ticks := 0
	for i, field := range strings.Fields(string(line)) {
		if i == 3 || i == 4 || i > 7 { // idle, iowait, and guest time, which is included in user time
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
