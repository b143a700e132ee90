package store

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func openLimits(t *testing.T, url string) *Limits {
	t.Helper()
	l, err := OpenLimits(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// Two replicas add to the same buckets, which empty as time passes.
func TestLimits_addUp(t *testing.T) {
	server := startRedis(t)
	a, b := openLimits(t, server.url()), openLimits(t, server.url())
	use := func(l *Limits, bucket byte, second, minute time.Duration) model.LimitUse {
		t.Helper()
		uses := []model.LimitUse{{Bucket: [16]byte{0xff}}, {Bucket: [16]byte{bucket}, Added: [2]time.Duration{second, minute}}}
		if err := l.AddUses(t.Context(), uses); err != nil {
			t.Fatal(err)
		}
		return uses[1]
	}
	isNear := func(got, want time.Duration) bool { return want-time.Minute < got && got <= want }
	got := use(a, 1, 2*time.Hour, 0)
	if !isNear(got.Excess[0], 2*time.Hour) || got.Excess[1] != 0 {
		t.Errorf("the first replica has %v", got.Excess)
	}
	got = use(b, 1, time.Hour, 3*time.Hour)
	if !isNear(got.Excess[0], 3*time.Hour) || !isNear(got.Excess[1], 3*time.Hour) {
		t.Errorf("the second replica has %v", got.Excess)
	}
	if got := use(a, 2, time.Second, 0); got.Excess[0] > time.Second {
		t.Errorf("another bucket has %v", got.Excess)
	}
	if got := use(a, 3, time.Microsecond/2, 0); got.Excess[0] > time.Microsecond {
		t.Errorf("less than a microsecond: %v", got.Excess)
	}
	if ttl := server.command("TTL", "limpet:l1:02000000000000000000000000000000"); ttl != ":2" && ttl != ":1" {
		t.Errorf("the TTL of a bucket is %q", ttl)
	}
}

// A store with other data, without a server or that is closed is an error, and not a panic.
func TestLimits_broken(t *testing.T) {
	server := startRedis(t)
	l := openLimits(t, server.url())
	uses := []model.LimitUse{{Bucket: [16]byte{1}, Added: [2]time.Duration{time.Second, 0}}}
	const key = "limpet:l1:01000000000000000000000000000000"
	server.command("SET", key, "none")
	if err := l.AddUses(t.Context(), uses); err != nil || uses[0].Excess[0] > time.Second {
		t.Errorf("after invalid text: %v, %v", uses[0].Excess, err)
	}
	server.command("DEL", key)
	server.command("LPUSH", key, "1")
	if l.AddUses(t.Context(), uses) == nil {
		t.Error("a list is accepted")
	}
	server.kill()
	if l.AddUses(t.Context(), uses) == nil {
		t.Error("a server that is gone responds")
	}
	server.start(t)
	eventually(t, "the store to be used again", func() bool { return l.AddUses(t.Context(), uses) == nil })
	l.Close()
	if l.AddUses(t.Context(), uses) == nil {
		t.Error("a closed store responds")
	}
	if l, err := OpenLimits("memory"); l != nil || err != nil {
		t.Errorf("memory: %v, %v", l, err)
	}
}
