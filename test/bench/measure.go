package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
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

// cpuTime is what a process and its children have used so far, in user and kernel mode.
func cpuTime(pid int) (time.Duration, error) {
	total := time.Duration(0)
	pids := append(children(pid), pid)
	for _, p := range pids {
		used, err := processTime(p)
		if err != nil {
			return 0, err
		}
		total += used
	}
	return total, nil
}

// processTime reads the scheduler's nanosecond count of every thread (proc_pid_schedstat).
func processTime(pid int) (time.Duration, error) {
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

// result is one round of one proxy.
type result struct {
	cpu       float64 // microseconds a request
	perSecond float64
	p50, p99  time.Duration
}

func summarise(latencies []time.Duration, took, cpu time.Duration) result {
	slices.Sort(latencies)
	n := len(latencies)
	return result{
		cpu:       float64(cpu.Nanoseconds()) / 1000 / float64(n),
		perSecond: float64(n) / took.Seconds(),
		p50:       latencies[n/2],
		p99:       latencies[n*99/100],
	}
}

// median of one figure over the rounds.
func (p *proxy) median(figure func(result) float64) float64 {
	values := make([]float64, len(p.results))
	for i, r := range p.results {
		values[i] = figure(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func cpu(r result) float64 { return r.cpu }

func report(w io.Writer, s settings, proxies []*proxy) {
	fmt.Fprintf(w, "small sticky GET, %d keep-alive connections, medians of %d rounds of %d requests\n\n",
		s.connections, s.rounds, s.requests)
	base := find(proxies, "nginx").median(cpu)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "proxy\tCPU us/request\tto nginx\trequests/s\tp50 us\tp99 us\t")
	for _, p := range proxies {
		fmt.Fprintf(t, "%s\t%.1f\t%.2f\t%.0f\t%.0f\t%.0f\t\n", p.name, p.median(cpu), p.median(cpu)/base,
			p.median(func(r result) float64 { return r.perSecond }),
			p.median(func(r result) float64 { return float64(r.p50.Microseconds()) }),
			p.median(func(r result) float64 { return float64(r.p99.Microseconds()) }))
	}
	t.Flush()
	fmt.Fprintln(w)
	for _, p := range proxies {
		fmt.Fprintf(w, "%s: %s\n", p.name, p.version)
	}
}

func verdict(s settings, proxies []*proxy) error {
	ratio := find(proxies, "limpet").median(cpu) / find(proxies, "nginx").median(cpu)
	if s.target > 0 && ratio > s.target {
		return fmt.Errorf("limpet needs %.2f times the CPU of nginx; the target is %.2f", ratio, s.target)
	}
	return nil
}

func find(proxies []*proxy, name string) *proxy {
	for _, p := range proxies {
		if p.name == name {
			return p
		}
	}
	return &proxy{results: []result{{cpu: 1}}}
}
