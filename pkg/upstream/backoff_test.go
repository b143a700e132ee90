package upstream

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

var testEjection = model.Ejection{Failures: 3, Backoff: 10 * time.Second, MaxBackoff: time.Minute, MaxPercent: 50}

func TestBackoff_doublesUpToTheMaximum(t *testing.T) {
	var b backoff
	now := int64(0)
	for _, want := range []int64{10_000, 20_000, 40_000, 60_000, 60_000} {
		b = b.fail(&testEjection, now, 0)
		if got := b.until - now; got != want {
			t.Fatalf("ejection %d lasts %d ms, want %d", b.ejections, got, want)
		}
		now = b.until
		if _, early := b.startProbe(now - 1); early {
			t.Fatal("a probe starts before the end")
		}
		b, _ = b.startProbe(now)
	}
}

func TestBackoff_jitterIsAtMostAQuarter(t *testing.T) {
	if b := (backoff{}).fail(&testEjection, 0, 0.999); b.until < 12_000 || b.until > 12_500 {
		t.Errorf("until %d, want about 12,500", b.until)
	}
}

func TestBackoff_soonAfterReturn(t *testing.T) {
	for name, c := range map[string]struct{ after, want int64 }{
		"soon":  {19_999, 20_000},
		"later": {20_000, 10_000},
	} {
		t.Run(name, func(t *testing.T) {
			b := (backoff{}).fail(&testEjection, 0, 0)
			b, _ = b.startProbe(10_000)
			b = b.succeed(&testEjection, 10_000)
			now := 10_000 + c.after
			if got := b.fail(&testEjection, now, 0).until - now; got != c.want {
				t.Errorf("the next ejection lasts %d ms, want %d", got, c.want)
			}
		})
	}
}

// FuzzBackoff applies any events in any order.
func FuzzBackoff(f *testing.F) {
	f.Add([]byte{0, 9, 1, 200, 2, 0, 3, 7, 0, 1})
	f.Fuzz(func(t *testing.T, events []byte) {
		var b backoff
		now, probes := int64(0), 0
		for i := 0; i+1 < len(events); i += 2 {
			now += int64(events[i+1]) * 500
			before := b
			switch events[i] % 4 {
			case 0:
				b = b.fail(&testEjection, now, float64(events[i+1])/256)
				if d := b.until - now; b.state != healthEjected || d < 10_000 || d > 75_000 {
					t.Fatalf("%+v fails to %+v at %d", before, b, now)
				}
				probes = 0
			case 1:
				var ok bool
				if b, ok = b.startProbe(now); ok {
					probes++
				}
			case 2:
				b = b.succeed(&testEjection, now)
				probes = 0
			default:
				b = b.abandon()
				probes = 0
			}
			if probes > 1 || b.isOut() != (b.state != healthAvailable) || b.ejections < 0 {
				t.Fatalf("%d probes in %+v after %+v", probes, b, before)
			}
		}
	})
}
