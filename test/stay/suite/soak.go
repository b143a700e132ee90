package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// soakSessions is the number of browsers of one iteration. They leave with it.
const soakSessions = 60

// usage has the resources of a process whose clients have left.
type usage struct {
	goroutines, files, resident float64
	pools                       int
}

// soak changes everything around Limpet again and again for a time, with new browsers each time. It returns what the process held
// after each iteration, and what its clients lost. rest is the part of the time without work, from 0 to 1.
func soak(limpetPath string, d time.Duration, rest float64) (*counts, []usage, error) {
	dir, err := os.MkdirTemp("", "limpet-soak-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	p := &programs{driver: limpet{path: limpetPath, store: &redis{}}, dir: dir}
	r := newRun(p, scenario{pods: 4}, 0, nil)
	defer r.close()
	var held []usage
	for end := time.Now().Add(d); r.err == nil && (time.Now().Before(end) || len(held) < 4); {
		began := time.Now()
		iterate(r)
		r.do(func() error {
			u, err := p.replicas[0].usage()
			held = append(held, u)
			return err
		})
		time.Sleep(time.Duration(float64(time.Since(began)) * rest / (1 - rest)))
	}
	return &r.counts, held, r.err
}

// iterate is one iteration of a soak. The state at its end is that at its beginning, with other pods.
func iterate(r *run) {
	r.sessions = nil
	r.newSessions(soakSessions)
	churn(r)
	edit(r)
	roll(r, 1, true)
	canaryPods := states(r.newPods(2))
	for _, weight := range []int{20, 0} {
		r.configure(func(s *state) { s.Routes[0].Canary, s.Routes[0].Weight = canaryPods, weight })
		r.round(1)
	}
	r.setCanary(nil)
	kill(r)
	r.setPods(append(r.cart().Pods, states(r.newPods(1))...))
	open := r.useSockets(r.openSockets())
	for _, s := range open {
		s.conn.Close()
	}
	r.client.CloseIdleConnections()
	r.forgetPods()
}

// setCanary replaces the pods of the canary, and stops the old ones.
func (r *run) setCanary(pods []podState) {
	old := r.cart().Canary
	for _, p := range old {
		p.depart()
	}
	r.configure(func(s *state) { s.Routes[0].Canary, s.Routes[0].Weight = pods, 0 })
	r.do(func() error {
		for _, p := range old {
			p.stop()
		}
		return nil
	})
}

// forgetPods forgets the pods that have ended.
func (r *run) forgetPods() {
	r.podMu.Lock()
	defer r.podMu.Unlock()
	for name, p := range r.pods {
		if !p.serving.Load() {
			delete(r.pods, name)
		}
	}
	clear(r.counts.placed)
}

// usage reads what the process holds once its clients have no connections any more.
func (r *replica) usage() (usage, error) {
	var u usage
	err := await("the end of all client connections", r.ended, func() bool {
		samples, err := scrape(r.Admin)
		u = usage{goroutines: samples["go_goroutines"], pools: len(pools(r.Admin))}
		return err == nil && samples["limpet_client_connections"] == 0
	})
	if err != nil {
		return u, err
	}
	dir, err := procOf(r.process.Pid)
	if err != nil {
		return u, err
	}
	files, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return u, err
	}
	text, err := os.ReadFile(dir + "/statm") // proc_pid_statm(5): in pages, the second number is resident
	if err != nil {
		return u, err
	}
	_, err = fmt.Sscan(string(text), new(float64), &u.resident)
	u.files, u.resident = float64(len(files)), u.resident*float64(os.Getpagesize())
	return u, err
}

// procOf returns the directory of a process in /proc, which shows the processes of the sandbox with the numbers outside of it
// (pid_namespaces(7)).
func procOf(pid int) (string, error) {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", err
	}
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return "", err
	}
	for _, dir := range all {
		if namespace, err := os.Readlink(dir + "/ns/pid"); err != nil || namespace != own {
			continue
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(status), "\nNSpid:")
		line, _, _ := strings.Cut(rest, "\n")
		if numbers := strings.Fields(line); len(numbers) > 0 && numbers[len(numbers)-1] == strconv.Itoa(pid) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("process %d is not in /proc", pid)
}

// scrape returns the samples of /metrics. Those of one name are added up.
func scrape(admin string) (map[string]float64, error) {
	resp, err := client.Get("http://" + admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(resp.Status)
	}
	samples := map[string]float64{}
	lines := bufio.NewScanner(io.LimitReader(resp.Body, 8<<20))
	for lines.Scan() {
		series, value, found := strings.Cut(lines.Text(), " ")
		name, labels, _ := strings.Cut(series, "{")
		if at := strings.LastIndex(labels, "} "); at >= 0 {
			value = labels[at+2:]
		}
		if n, err := strconv.ParseFloat(value, 64); found && err == nil {
			samples[name] += n
		}
	}
	return samples, lines.Err()
}

// growth is how a figure changed in a soak: its median in the second quarter of the iterations and in the last one.
type growth struct {
	name          string
	early, late   float64
	factor, slack float64 // late may be early times factor plus slack
}

func (g growth) isFlat() bool { return g.late <= g.early*g.factor+g.slack }

func growths(held []usage) []growth {
	n := len(held)
	figure := func(name string, factor, slack float64, of func(usage) float64) growth {
		return growth{name, median(held[n/4:n/2], of), median(held[n-max(1, n/4):], of), factor, slack}
	}
	return []growth{
		figure("goroutines", 1.1, 20, func(u usage) float64 { return u.goroutines }),
		figure("open files", 1.1, 20, func(u usage) float64 { return u.files }),
		figure("resident memory in MiB", 1.15, 8, func(u usage) float64 { return u.resident / (1 << 20) }),
		figure("pools", 1, 0, func(u usage) float64 { return float64(u.pools) }),
	}
}

func median(held []usage, of func(usage) float64) float64 {
	sorted := slices.SortedFunc(slices.Values(held), func(a, b usage) int { return cmp.Compare(of(a), of(b)) })
	return of(sorted[len(sorted)/2])
}

// reportSoak runs a soak, and writes what it found.
func reportSoak(out io.Writer, s settings) error {
	began := time.Now()
	lost, held, err := soak(s.limpet, s.soak, s.rest)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %d iterations in %v, %d requests. Lost: %s.\n\n", firstLine(s.limpet, "version"), len(held),
		time.Since(began).Round(time.Second), lost.requests, lost)
	fmt.Fprint(out, "| | second quarter | last quarter | |\n|---|--:|--:|---|\n")
	for _, g := range growths(held) {
		verdict := "flat"
		if !g.isFlat() {
			verdict = "grows"
			err = errors.Join(err, fmt.Errorf("%s grow from %.0f to %.0f", g.name, g.early, g.late))
		}
		fmt.Fprintf(out, "| %s | %.0f | %.0f | %s |\n", g.name, g.early, g.late, verdict)
	}
	return err
}
