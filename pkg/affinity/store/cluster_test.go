package store

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/go-logr/logr"
)

const clusterNodes = 3

// startCluster divides the slots among three masters, of which none has a spare.
func startCluster(t *testing.T) (nodes [clusterNodes]*redisServer, url string) {
	t.Helper()
	var addrs []string
	var bus [clusterNodes]string
	for i := range nodes {
		bus[i] = strconv.Itoa(freePort(t))
		nodes[i] = startRedis(t, "--cluster-enabled", "yes", "--cluster-port", bus[i], "--cluster-node-timeout", "500",
			"--cluster-require-full-coverage", "no", "--cluster-config-file", filepath.Join(t.TempDir(), "nodes.conf"))
		addrs = append(addrs, nodes[i].addr())
	}
	const slots = 16384
	for i, n := range nodes {
		first, last := i*slots/clusterNodes, (i+1)*slots/clusterNodes-1
		n.must(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(first), strconv.Itoa(last))
		n.must(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for i := 1; i < clusterNodes; i++ {
		nodes[0].must(t, "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(nodes[i].port), bus[i])
	}
	for _, n := range nodes {
		eventually(t, "a node that knows where all slots are", func() bool {
			info := n.command("CLUSTER", "INFO")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384")
		})
	}
	return nodes, "redis+cluster://" + strings.Join(addrs, ",")
}

func TestReplicasShareACluster(t *testing.T) {
	nodes, url := startCluster(t)
	one, two := open(t, url), open(t, url)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.settled(t)
	for i := range 300 {
		wantPod(t, two, id(i), podA)
	}
	for _, n := range nodes {
		if size, _ := strconv.Atoi(n.must(t, "DBSIZE")[1:]); size < 50 {
			t.Errorf("a node has %d of 300 sessions, want about a third", size)
		}
	}
	for i := range 300 {
		two.Remember(scope, id(i), podB)
	}
	two.settled(t)
	eventually(t, "all moves on the other replica", func() bool {
		for i := range 300 {
			if key, _ := one.Lookup(scope, id(i)); key != podB {
				return false
			}
		}
		return true
	})
}

func TestANodeOfAClusterDiesAndComesBack(t *testing.T) {
	nodes, url := startCluster(t)
	one, two := open(t, url, brief), open(t, url, brief)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.settled(t)
	nodes[1].kill()
	eventually(t, "Down", func() bool {
		for i := range 300 {
			quick(t, func() { wantPod(t, one, id(i), podA) })
			quick(t, func() { two.Lookup(scope, id(i)) })
		}
		return one.events.count(Down) > 0 && two.events.count(Down) > 0
	})
	nodes[1].start(t)
	// A part that the dead node shares with another one may have come back in between.
	eventually(t, "Up", func() bool { return one.isUp() && two.isUp() })
	eventually(t, "all sessions on both replicas", func() bool {
		for i := range 300 {
			wantPod(t, one, id(i), podA)
			if key, _ := two.Lookup(scope, id(i)); key != podA {
				return false
			}
		}
		return true
	})
}

func TestASilentNodeIsAskedNoMoreThanAFewTimes(t *testing.T) {
	nodes, url := startCluster(t)
	one := open(t, url, brief)
	nodes[1].freeze(t)
	t.Cleanup(func() { nodes[1].thaw(t) })
	const sessions = 2000
	for i := range sessions {
		quick(t, func() { one.Lookup(scope, id(i)) })
	}
	// A third of the parts are silent: each is asked three times, and both parts that it shares with a neighbour more often.
	failed, asked := one.events.count(Failed), one.events.count(Asked)
	if failed > clusterParts*maxFailures || asked < sessions/2 {
		t.Errorf("%d waited in vain, %d were answered, of %d", failed, asked, sessions)
	}
}

// The slots are those of a real server.
func TestPartsAreOfSlots(t *testing.T) {
	nodes, _ := startCluster(t)
	p := newParts(cluster, "limpet:1:", newHealth(clusterParts, logr.Discard(), func(Event) {}))
	c := &client{prefix: "limpet:1:"}
	for i := range 200 {
		sum := sumOf(scope, id(i))
		slot, _ := strconv.Atoi(nodes[0].must(t, "CLUSTER", "KEYSLOT", c.name(sum))[1:])
		if got := p.of(sum).part; got != slot/256 {
			t.Errorf("session %d is of part %d, want that of slot %d", i, got, slot)
		}
	}
	for _, b := range p.breakers {
		if p.of(p.nobody(b)) != b {
			t.Errorf("part %d is not asked for one of its own", b.part)
		}
	}
}
