package upstream

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestASetRemembersWhoHasLeft(t *testing.T) {
	p := poolOf("a b c")
	p.Replace(endpoints("a c"))
	p.Replace(endpoints("(a) d"))
	p.Replace(endpoints("a d b")) // which is back
	for name, left := range map[string]bool{"a": false, "b": true, "c": true, "d": false, "e": false} {
		if got := p.Set().HasDeparted(model.IdentityPod, model.KeyOf("uid-"+name)); got != left {
			t.Errorf("%s has left: %v", name, got)
		}
		if got := p.Set().HasDeparted(model.IdentityPodName, model.KeyOf(name)); got != left {
			t.Errorf("%s, by name, has left: %v", name, got)
		}
	}
}

func TestASetForgetsThoseWhoLeftLongAgo(t *testing.T) {
	p := poolOf("")
	for n := range maxDeparted + 2 {
		p.Replace(endpoints(fmt.Sprintf("pod-%d", n)))
	}
	for n, left := range map[int]bool{0: false, 1: true, maxDeparted: true, maxDeparted + 1: false} {
		if got := p.Set().HasDeparted(model.IdentityPod, model.KeyOf(fmt.Sprintf("uid-pod-%d", n))); got != left {
			t.Errorf("pod-%d has left: %v", n, got)
		}
	}
}
