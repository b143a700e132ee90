package publish

import (
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"
)

func TestEndpoints_emptyPoolIsLogged(t *testing.T) {
	otherPort, unusable := sliceOf("cart", "10.0.0.1"), sliceOf("cart", "0.0.0.0")
	otherPort.Ports[0].Name = ptr.To("admin")
	for name, c := range map[string]struct {
		slices []*discoveryv1.EndpointSlice
		cause  string
	}{
		"selector":  {nil, "no pod matches its selector"},
		"port name": {[]*discoveryv1.EndpointSlice{otherPort}, "has a TCP port named"},
		"address":   {[]*discoveryv1.EndpointSlice{unusable}, "an address that can be used"},
	} {
		t.Run(name, func(t *testing.T) {
			var logged []string
			s := newSite(t)
			s.o.Log = funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{})
			w := snapshotOf("cart")
			s.Publish(w, SnapshotEndpoints(w), time.Now())
			logged = nil
			for range 2 {
				s.Endpoints("shop", "cart", sourceOf(c.slices...), time.Now())
			}
			if len(logged) != 1 || !strings.Contains(logged[0], "shop/cart:80") || !strings.Contains(logged[0], c.cause) {
				t.Errorf("logged %q, want one line with %q", logged, c.cause)
			}
			s.Endpoints("shop", "cart", SnapshotEndpoints(w), time.Now())
			s.Endpoints("shop", "cart", sourceOf(c.slices...), time.Now())
			if len(logged) != 2 {
				t.Errorf("after it had endpoints again: %d lines, want 2", len(logged))
			}
		})
	}
}
