package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// wrkScript sends the requests of all clients in turn, and prints the figures of the round. wrk has no sessions of
// its own, so it does not check which pod responded.
const wrkScript = `local requests = {%s}
local last = 0
request = function()
  last = last %% #requests + 1
  return requests[last]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("round %%d %%d %%d %%d %%d\n", summary.requests, latency:percentile(50),
    latency:percentile(99), latency:percentile(99.9), e.connect + e.read + e.write + e.status + e.timeout))
end
`

const wrkHint = "get-wrk is missing: program wrk not found; Debian has it in wrk"

// runWrk sends the requests of the proxy's clients with wrk, over as many connections as there are clients. wrk
// counts in whole seconds.
func (b *bench) runWrk(p *proxy, duration time.Duration) (sample, error) {
	script := filepath.Join(b.dir, p.rival.name+".lua")
	if err := os.WriteFile(script, fmt.Appendf(nil, wrkScript, p.load.quoted()), 0o600); err != nil {
		return sample{}, err
	}
	seconds := max(1, int((duration + time.Second - 1).Seconds()))
	output, err := exec.Command("wrk", "-t1", fmt.Sprintf("-c%d", len(p.load.clients)), fmt.Sprintf("-d%ds", seconds),
		"-s", script, "http://"+p.address).CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("running wrk: %w; output:\n%s", err, output)
	}
	_, figures, _ := strings.Cut(string(output), "\nround ")
	var requests, p50, p99, p999, failed int
	if _, err := fmt.Sscan(figures, &requests, &p50, &p99, &p999, &failed); err != nil || requests == 0 || failed > 0 {
		return sample{}, fmt.Errorf("%d requests of wrk failed; output:\n%s", failed, output)
	}
	return sample{requests: requests, p50: micros(p50), p99: micros(p99), p999: micros(p999)}, nil
}

func micros(n int) time.Duration { return time.Duration(n) * time.Microsecond }

// quoted returns the serialized requests of all clients as strings of Lua.
func (l *load) quoted() string {
	var list []string
	for _, c := range l.clients {
		escaped := strings.NewReplacer("\\", `\\`, `"`, `\"`, "\r", `\r`, "\n", `\n`).Replace(string(c.(*http1Client).bytes))
		list = append(list, `"`+escaped+`"`)
	}
	return strings.Join(list, ",\n")
}

// withoutWrk removes the workloads that need wrk if it is missing, and reports whether it did.
func withoutWrk(all []*workload) (rest []*workload, missing bool) {
	if _, err := exec.LookPath("wrk"); err == nil {
		return all, false
	}
	for _, w := range all {
		if !w.wrk {
			rest = append(rest, w)
		}
	}
	return rest, len(rest) < len(all)
}
