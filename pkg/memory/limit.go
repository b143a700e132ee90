package memory

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// ProcessLimit returns the memory limit of the process in bytes: the lower of the container limit and GOMEMLIMIT. Zero
// means that there is no limit.
func ProcessLimit() int64 {
	limit := containerLimit("/")
	if goLimit := debug.SetMemoryLimit(-1); goLimit < math.MaxInt64 && (limit == 0 || goLimit < limit) {
		return goLimit
	}
	return limit
}

// containerLimit returns the lowest memory limit of the cgroup of this process and its ancestors that are visible
// under root. Zero means that there is no limit.
func containerLimit(root string) int64 {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	var lowest int64
	for line := range strings.Lines(string(text)) {
		id, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		mount, file := "sys/fs/cgroup", "memory.max"
		switch {
		case controllers == "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		case id != "0":
			continue
		}
		if limit := limitAbove(filepath.Join(root, mount), group, file); limit > 0 && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
	}
	return lowest
}

// limitAbove returns the lowest limit of a cgroup and its ancestors.
func limitAbove(mount, group, file string) (lowest int64) {
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		if limit := readLimit(filepath.Join(mount, group, file)); limit > 0 && (lowest == 0 || limit < lowest) {
			lowest = limit
		}
		if group == "/" {
			return lowest
		}
	}
}

// noLimit exceeds any real memory size. For no limit, cgroup v1 writes a number near 2^63.
const noLimit = 1 << 60

// readLimit returns zero for "max" or if the file cannot be read. The root cgroup and cgroups outside of the namespace
// have no such file.
func readLimit(name string) int64 {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || limit >= noLimit {
		return 0
	}
	return limit
}
