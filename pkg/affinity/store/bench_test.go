package store

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var sink model.EndpointKey

func BenchmarkLookup_memory(b *testing.B) { benchmarkLookup(b, memory(b, Options{})) }

// A session in memory and in sync costs the same with a shared store.
func BenchmarkLookup_shared(b *testing.B) { benchmarkLookup(b, open(b, startRedis(b).url())) }

func BenchmarkLookup_query(b *testing.B) {
	s := open(b, startRedis(b).url())
	s.Remember(scope, id(1), podA)
	writeAll(b, s, [][]byte{id(1)})
	table := s.Store.(*shared).table
	for b.Loop() {
		table.forget(hashOf(scope, id(1)))
		sink, _ = s.Lookup(scope, id(1))
	}
}

func benchmarkLookup(b *testing.B, s sessions) {
	b.Helper()
	const count = 100_000
	ids := make([][]byte, count)
	for i := range ids {
		ids[i] = id(i)
		s.Remember(scope, ids[i], podA)
	}
	if r, ok := s.(*replica); ok {
		writeAll(b, r, ids)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for i := 0; p.Next(); i++ {
			s.Lookup(scope, ids[i%count])
		}
	})
}

// writeAll uses each session until it is written, because the queue has less space than there are sessions.
func writeAll(b *testing.B, r *replica, ids [][]byte) {
	b.Helper()
	eventually(b, "all written", func() bool {
		for _, id := range ids {
			r.Lookup(scope, id)
		}
		return r.clean()
	})
}
