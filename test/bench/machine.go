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

// The cores: the proxy under test has one to itself.
const (
	proxyCore = 0
	loadCore  = 1
)

// pin lets a process, and what it will start, run on one core only.
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

// usage is what a process and its children have used so far.
type usage struct {
	cpu      time.Duration // in user and kernel mode
	resident int64         // bytes of memory now
	peak     int64         // and at most
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

// cpuTime reads the scheduler's nanosecond count of every thread (proc_pid_schedstat).
func cpuTime(pid int) (time.Duration, error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, thread := range threads {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, thread.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
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

// kibibytes gives a line of /proc/PID/status in bytes, 0 where there is none.
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

// coreTime is how long a core has been busy, whoever with, to the hundredth of a second (proc_stat).
func coreTime(core int) time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, fmt.Appendf(nil, "cpu%d ", core))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	ticks := 0
	for i, field := range strings.Fields(string(line)) {
		if i == 3 || i == 4 || i > 7 { // idle, waiting for the disk, and guests, which are counted as user
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
