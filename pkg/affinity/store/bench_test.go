package store

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var sink model.EndpointKey

func BenchmarkLookupInMemory(b *testing.B) { benchmarkLookup(b, memory(b, Options{})) }

// What is known and agreed upon costs the same with a shared store.
func BenchmarkLookupShared(b *testing.B) { benchmarkLookup(b, open(b, startRedis(b).url())) }

func BenchmarkLookupAskingTheSharedStore(b *testing.B) {
	s := open(b, startRedis(b).url())
	unknown := id(1)
	for b.Loop() {
		sink, _ = s.Lookup(scope, unknown)
	}
}

func benchmarkLookup(b *testing.B, s Store) {
	b.Helper()
	const sessions = 100_000
	ids := make([][]byte, sessions)
	for i := range ids {
		ids[i] = id(i)
		s.Remember(scope, ids[i], podA)
	}
	if r, ok := s.(*replica); ok {
		settleAll(b, r, ids)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			s.Lookup(scope, ids[i%sessions])
		}
	})
}

// settleAll uses each session until it is written: there are more than have room in the queue.
func settleAll(b *testing.B, r *replica, ids [][]byte) {
	b.Helper()
	eventually(b, "all written", func() bool {
		for _, id := range ids {
			r.Lookup(scope, id)
		}
		return r.clean()
	})
}
