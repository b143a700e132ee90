package store

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
)

const clusterNodes = 3

// startCluster starts three masters without replicas and divides the slots among them.
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

func TestCluster_replicasShare(t *testing.T) {
	nodes, url := startCluster(t)
	one, two := open(t, url), open(t, url)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.waitWritten(t)
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
	two.waitWritten(t)
	eventually(t, "all moves on the other replica", func() bool {
		for i := range 300 {
			if key, _ := one.Lookup(scope, id(i)); key != podB {
				return false
			}
		}
		return true
	})
}

func TestCluster_nodeRestarts(t *testing.T) {
	nodes, url := startCluster(t)
	one, two := open(t, url, defaultWait), open(t, url, defaultWait)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.waitWritten(t)
	nodes[1].kill()
	eventually(t, "Down", func() bool {
		for i := range 300 {
			withinWait(t, func() { wantPod(t, one, id(i), podA) })
			withinWait(t, func() { two.Lookup(scope, id(i)) })
		}
		return one.events.count(Down) > 0 && two.events.count(Down) > 0
	})
	nodes[1].start(t)
	// A part shared by the dead node and another node may have recovered in between.
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

func TestCluster_unresponsiveNode(t *testing.T) {
	nodes, url := startCluster(t)
	one := open(t, url, defaultWait)
	nodes[1].freeze(t)
	t.Cleanup(func() { nodes[1].thaw(t) })
	const sessions = 2000
	for i := range sessions {
		withinWait(t, func() { one.Lookup(scope, id(i)) })
		one.clock.add(time.Second) // lookups of unknown ids are limited per second
	}
	// A third of the parts fail, each after three queries. The two parts shared with other nodes need more.
	failed, asked := one.events.count(Failed), one.events.count(Asked)
	if failed > clusterParts*maxFailures || asked < sessions/2 {
		t.Errorf("%d queries failed, %d succeeded, of %d", failed, asked, sessions)
	}
}

// Compares with the slots computed by a real server.
func TestParts_matchSlots(t *testing.T) {
	nodes, _ := startCluster(t)
	p := newParts(cluster, "limpet:2:", newHealth(clusterParts, logr.Discard(), func(Event) {}))
	c := &client{prefix: "limpet:2:"}
	for i := range 200 {
		hash := hashOf(scope, id(i))
		slot, _ := strconv.Atoi(nodes[0].must(t, "CLUSTER", "KEYSLOT", c.name(hash))[1:])
		if got := p.breakerFor(hash).part; got != slot/256 {
			t.Errorf("session %d is in part %d, want the part of slot %d", i, got, slot)
		}
	}
	for _, b := range p.breakers {
		if p.breakerFor(p.unusedID(b)) != b {
			t.Errorf("part %d: unusedID is in another part", b.part)
		}
	}
}
