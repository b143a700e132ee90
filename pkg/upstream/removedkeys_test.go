package upstream

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestWasRemoved(t *testing.T) {
	p := poolOf("a b c")
	p.Replace(endpoints("a c"))
	p.Replace(endpoints("(a) d"))
	p.Replace(endpoints("a d b")) // b rejoins
	for name, left := range map[string]bool{"a": false, "b": true, "c": true, "d": false, "e": false} {
		if got := p.Set().WasRemoved(model.IdentityPod, model.KeyOf("uid-"+name)); got != left {
			t.Errorf("%s removed: %v", name, got)
		}
		if got := p.Set().WasRemoved(model.IdentityPodName, model.KeyOf(name)); got != left {
			t.Errorf("%s, by name, removed: %v", name, got)
		}
	}
}

func TestWasRemoved_maximum(t *testing.T) {
	p := poolOf("")
	for n := range maxRemovedKeys + 2 {
		p.Replace(endpoints(fmt.Sprintf("pod-%d", n)))
	}
	for n, left := range map[int]bool{0: false, 1: true, maxRemovedKeys: true, maxRemovedKeys + 1: false} {
		if got := p.Set().WasRemoved(model.IdentityPod, model.KeyOf(fmt.Sprintf("uid-pod-%d", n))); got != left {
			t.Errorf("pod-%d removed: %v", n, got)
		}
	}
}
