package explain

import (
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestNearest(t *testing.T) {
	routes := []model.Route{
		{Host: "*.example.com", Path: "/any"}, {Host: "admin.example.com", Path: "/"},
		{Host: "shop.example.com", Path: "/cart"}, {Host: "shop.example.com", Path: "/pay"},
	}
	for _, c := range []struct {
		host, path, reason string
		first              string
	}{
		{"shop.example.com", "/carts", `host "shop.example.com" has no route for path "/carts"`, "shop.example.com/cart"},
		{"blog.example.com", "/", `host "blog.example.com" has no route for path "/"`, "*.example.com/any"},
		{"shop.example.org", "/", `no route has host "shop.example.org"`, "shop.example.com"},
		{"a.b.example.com", "/", `no route has host "a.b.example.com"`, "admin.example.com"},
	} {
		got := nearest(routes, c.host, c.path)
		if got.Reason != c.reason || len(got.Nearest) == 0 || got.Nearest[0] != c.first {
			t.Errorf("%s%s: got %+v, want %s with %s first", c.host, c.path, got, c.reason, c.first)
		}
	}
}

func TestNearest_isBounded(t *testing.T) {
	var routes []model.Route
	for i := range 1000 {
		routes = append(routes, model.Route{Host: string(rune('a'+i%26)) + ".example.com", Path: "/"})
	}
	if got := nearest(routes, "z.example.org", "/"); len(got.Nearest) > maxNearest {
		t.Errorf("%d names are listed", len(got.Nearest))
	}
	if got := nearest(nil, "z.example.org", "/"); len(got.Nearest) != 0 {
		t.Errorf("without routes: %v", got.Nearest)
	}
}

func TestClosest_keepsInput(t *testing.T) {
	names := []string{"b", "a"}
	closest(names, "a")
	if !slices.Equal(names, []string{"b", "a"}) {
		t.Errorf("the names were reordered: %v", names)
	}
}
