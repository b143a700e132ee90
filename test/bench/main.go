package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// settings is what one run of the bench does.
type settings struct {
	limpet      string // the binary
	baseline    string // another build of it to compare with, empty: none
	rounds      int
	requests    int // a round
	connections int
	target      float64 // the highest ratio to nginx that passes, 0: none
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == podRole {
		servePods(os.Args[2:])
		return
	}
	var s settings
	flag.StringVar(&s.limpet, "limpet", "bin/limpet", "the limpet `binary`")
	flag.StringVar(&s.baseline, "baseline", "", "another limpet `binary` to compare with")
	flag.IntVar(&s.rounds, "rounds", 9, "rounds, each of which runs every proxy once")
	flag.IntVar(&s.requests, "requests", 40000, "requests in a round")
	flag.IntVar(&s.connections, "connections", 64, "keep-alive connections")
	flag.Float64Var(&s.target, "target", 0, "fail if Limpet's CPU per request is more than this many times nginx's")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(s settings) error {
	dir, err := os.MkdirTemp("", "limpet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := pin(os.Getpid(), loadCore); err != nil {
		return err
	}
	pods, err := startPods()
	if err != nil {
		return err
	}
	defer pods.stop()
	proxies, err := startProxies(s, dir, pods.addresses)
	defer stopAll(proxies)
	if err != nil {
		return err
	}
	if err := measure(s, proxies); err != nil {
		return err
	}
	report(os.Stdout, s, proxies)
	return verdict(s, proxies)
}

// measure runs the rounds. The first one warms up and does not count.
func measure(s settings, proxies []*proxy) error {
	for round := range s.rounds + 1 {
		for _, p := range proxies {
			result, err := p.round(s)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if round > 0 {
				p.results = append(p.results, result)
			}
		}
	}
	return nil
}

// round drives one proxy and reads what it cost.
func (p *proxy) round(s settings) (result, error) {
	before, err := cpuTime(p.pid)
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	latencies, err := p.load.run(s.requests)
	if err != nil {
		return result{}, err
	}
	took := time.Since(start)
	after, err := cpuTime(p.pid)
	if err != nil {
		return result{}, err
	}
	return summarise(latencies, took, after-before), nil
}
