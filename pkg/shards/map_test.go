package shards

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// Random edits must have the same result as edits of a plain map, and leave all previous Maps as they were.
func TestEdit_equalsPlainMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var m Map[int]
	plain := map[string]int{}
	type version struct {
		m     Map[int]
		plain map[string]int
	}
	var versions []version
	for range 200 {
		e := m.Edit()
		for range random.IntN(20) {
			key := fmt.Sprint(random.IntN(300))
			if random.IntN(3) == 0 {
				e.Delete(key)
				delete(plain, key)
				continue
			}
			value := random.Int()
			e.Set(key, value)
			plain[key] = value
		}
		m = e.Map()
		versions = append(versions, version{m, maps.Clone(plain)})
	}
	for i, v := range versions {
		got := map[string]int{}
		v.m.All(func(key string, value int) { got[key] = value })
		if !maps.Equal(got, v.plain) || v.m.Len() != len(v.plain) {
			t.Fatalf("version %d has %d keys %v, want %v", i, v.m.Len(), got, v.plain)
		}
		for key, want := range v.plain {
			a, foundA := v.m.Get(key)
			b, foundB := v.m.GetBytes([]byte(key))
			if a != want || b != want || !foundA || !foundB {
				t.Fatalf("version %d: %s is %d and %d, want %d", i, key, a, b, want)
			}
		}
	}
}

func TestMap_zero(t *testing.T) {
	var m Map[int]
	_, found := m.Get("a")
	_, foundBytes := m.GetBytes([]byte("a"))
	if found || foundBytes || m.Len() != 0 {
		t.Error("the zero Map has a key")
	}
	m.Edit().Delete("a")
}

func TestGetBytes_allocatesNothing(t *testing.T) {
	e := Map[int]{}.Edit()
	e.Set("a.example.com", 1)
	m, key := e.Map(), []byte("a.example.com")
	if n := testing.AllocsPerRun(100, func() { m.GetBytes(key) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
