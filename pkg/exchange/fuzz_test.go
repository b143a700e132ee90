package exchange

import (
	"bytes"
	"testing"
)

// FuzzForwarded checks that an element that is appended to a valid Forwarded field is parsed as the last element.
func FuzzForwarded(f *testing.F) {
	for _, value := range []string{"for=192.0.2.1", `for="[2001:db8::1]:80";host="a,b";proto=https, for=unknown`, `for="\"`,
		`for="x, for=192.0.2.1`, ";;,;", "for=a;for=b", `a="\\";for=_b ; by="c:_d" ,, `} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		var alone, added forwardedHops
		if !alone.read([]byte(value)) {
			return
		}
		if !added.read([]byte(value+", for=192.0.2.9")) || added.count != alone.count+1 {
			t.Fatalf("%q has %d elements, and %d after one was appended", value, alone.count, added.count)
		}
		if last := added.elements[alone.count%maxHops].node; string(last) != "192.0.2.9" {
			t.Fatalf("after %q the last element is %q", value, last)
		}
		for _, element := range alone.elements[:min(alone.count, maxHops)] {
			node := element.node
			if addr, ok := parseNode(node); ok && !bytes.ContainsAny(node, ".:") {
				t.Fatalf("%q is parsed as %s", node, addr)
			}
		}
	})
}
