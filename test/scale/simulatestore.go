package main

import "math/rand/v2"

// The traffic of each session, and the timeout of its policy.
const (
	storeInterval = 10      // seconds between two requests of a session, on average
	storeIdle     = 30 * 60 // seconds
	renewAfter    = storeIdle / 4
	sampled       = 1000 // sessions that are simulated: they do not affect each other
	storeWarmUp   = 2 * storeIdle
	storeMeasured = storeIdle
)

// storeTraffic is the rate of operations of a shared session store, per second.
type storeTraffic struct{ requests, writes, notifications, queries float64 }

// cachedSession is one session in the memory of one replica.
type cachedSession struct {
	known, inSync bool
	renewed       float64
}

// simulateStore returns the traffic of a shared store that behaves as package store documents: each write notifies the other
// replicas, a request queries a session that is unknown or was changed, and a replica renews a session that it queried for the
// first time, or that it has in sync and no replica has renewed for a quarter of the idle timeout.
func simulateStore(replicas int, random *rand.Rand) storeTraffic {
	var t storeTraffic
	for range sampled {
		caches := make([]cachedSession, replicas)
		for now := 0.0; now < storeWarmUp+storeMeasured; now += random.ExpFloat64() * storeInterval {
			used := &caches[random.IntN(replicas)]
			queries := !used.known || !used.inSync
			renews := !used.known || used.inSync && now-used.renewed >= renewAfter
			used.known, used.inSync = true, true
			if renews {
				for i := range caches { // a notification counts as a renewal
					caches[i].inSync, caches[i].renewed = &caches[i] == used, now
				}
			}
			if now >= storeWarmUp {
				t.count(queries, renews, replicas)
			}
		}
	}
	const scale = float64(simulatedSessions) / sampled / storeMeasured
	return storeTraffic{t.requests * scale, t.writes * scale, t.notifications * scale, t.queries * scale}
}

func (t *storeTraffic) count(queries, renews bool, replicas int) {
	t.requests++
	if queries {
		t.queries++
	}
	if renews {
		t.writes++
		t.notifications += float64(replicas - 1)
	}
}
