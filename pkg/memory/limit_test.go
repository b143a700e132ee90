package memory

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestContainerLimit_files(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"version 2 in a namespace": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"version 2 on the node": {map[string]string{
			"proc/self/cgroup": "0::/pods/limpet\n", "sys/fs/cgroup/pods/limpet/memory.max": "max\n",
			"sys/fs/cgroup/pods/memory.max": "1048576\n"}, 1 << 20},
		"version 1": {map[string]string{
			"proc/self/cgroup": "5:cpu:/x\n4:memory:/pods\n",
			"sys/fs/cgroup/memory/pods/memory.limit_in_bytes": "1048576\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":      "9223372036854771712\n",
		}, 1 << 20},
		"version 1 in a container": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/kubepods/pod1/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2097152\n"}, 2 << 20},
		"no limit": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 0},
		"nonsense": {map[string]string{
			"proc/self/cgroup": "x\n0::/../../..\n", "sys/fs/cgroup/memory.max": "-5\n"}, 0},
		"no cgroup": {nil, 0},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := containerLimit(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestTuner_adaptsBudget(t *testing.T) {
	b := NewBudget(0)
	tuner := &Tuner{Budget: b, Limit: 1000 * mebibyte, KeepGoLimit: true}
	expect := func(what string, want int64) {
		t.Helper()
		if got := b.Limit(); got < (want-1)*mebibyte || got > (want+1)*mebibyte {
			t.Errorf("%s: the budget is %d MiB, want %d", what, got/mebibyte, want)
		}
	}
	tuner.observe(100*mebibyte, 1)
	tuner.observe(100*mebibyte, 2)
	expect("a table of 100 MiB", 200)
	a := NewAccount(b)
	a.Take(20 * mebibyte)
	tuner.observe(120*mebibyte, 3)
	tuner.observe(120*mebibyte, 4)
	expect("memory of clients is not counted", 200)
	a.Return(20 * mebibyte)
	a.Trim()
	tuner.observe(120*mebibyte, 5)
	expect("clients disconnected after the collection", 200)
	tuner.observe(600*mebibyte, 6)
	expect("one collection changes nothing", 200)
	tuner.observe(600*mebibyte, 7)
	expect("the rest exceeds the limit", 60)
}

func TestTuner_releasesAfterTheStart(t *testing.T) {
	loaded := false
	tuner := &Tuner{Budget: NewBudget(0), Loaded: func() bool { return loaded }}
	if tuner.shouldRelease(500 * mebibyte) {
		t.Error("released before everything was read")
	}
	loaded = true
	if !tuner.shouldRelease(500*mebibyte) || tuner.shouldRelease(100*mebibyte) {
		t.Error("want one release after everything was read")
	}
}

func TestTuner_releasesWhenIdle(t *testing.T) {
	tuner := &Tuner{Budget: NewBudget(0)}
	look := func(mapped int64, collections uint64) bool {
		tuner.observe(0, collections)
		return tuner.shouldRelease(mapped)
	}
	for n := range uint64(20) {
		if look(500*mebibyte, n+1) {
			t.Fatal("a busy process released memory")
		}
	}
	collections, mapped := uint64(20), int64(500*mebibyte)
	count := func(looks int, after int64) (frees int) {
		for range looks {
			if look(mapped, collections) {
				mapped = after
				collections++ // releasing memory runs the collector
				frees++
			}
		}
		return frees
	}
	if got := count(10, 100*mebibyte); got != 2 {
		t.Errorf("released %d times, want 2", got)
	}
	if got := count(minReleaseWait/2, mapped); got != 0 {
		t.Errorf("released again %d times immediately", got)
	}
	if got := count(200, mapped); got > 8 {
		t.Errorf("released %d times without effect", got)
	}
	mapped = 300 * mebibyte
	if got := count(10, 100*mebibyte); got != 2 {
		t.Errorf("after growth: released %d times, want 2", got)
	}
}

func TestTuner_setsGoLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	tuner := &Tuner{Budget: NewBudget(0), Limit: 1000 * mebibyte}
	for n, c := range []struct{ nonBudget, want int64 }{{20, 500}, {100, 500}, {400, 690}, {900, 900}} {
		tuner.observe(c.nonBudget*mebibyte, uint64(2*n+1))
		tuner.observe(c.nonBudget*mebibyte, uint64(2*n+2))
		if got := debug.SetMemoryLimit(-1); got < (c.want-1)*mebibyte || got > (c.want+1)*mebibyte {
			t.Errorf("with %d MiB live: Go limit %d MiB, want %d", c.nonBudget, got/mebibyte, c.want)
		}
	}
}
