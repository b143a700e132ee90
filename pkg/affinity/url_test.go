package affinity

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var (
	cookieHashed = model.Method{
		Source: model.SourceCookie, Binding: model.BindingHashed, Cookie: &model.Cookie{Name: "sid"},
	}
	queryMethod = model.Method{
		Source: model.SourceQueryParam, Binding: model.BindingHashed, QueryParam: &model.QueryParam{Name: "sid"},
	}
	pathMethod = model.Method{
		Source: model.SourcePathSegment, Binding: model.BindingHashed, PathSegment: &model.PathSegment{Index: 1},
	}
)

func TestValueReader_parameter(t *testing.T) {
	long := strings.Repeat("x", maxParameter)
	for _, c := range []struct{ path, query, want string }{
		{"/", "sid=42", "42"},
		{"/", "a=1&sid=42&b=2", "42"},
		{"/", "a=1&sid=42&sid=43", "42"},
		{"/", "sid=&sid=43", "43"},
		{"/", "xsid=1&sid2=2&SID=3", ""},
		{"/", "sid", ""},
		{"/", "s%69d=4%32", "42"},
		{"/", "sid=a+b%2Bc", "a b+c"},
		{"/", "sid=%C3%A9", "\xc3\xa9"},
		{"/", "sid=4%2", ""},
		{"/", "sid=4%zz", ""},
		{"/", "s%zz=1&sid=2", "2"},
		{"/", "sid=" + long, long},
		{"/", "sid=" + long + "x", ""},
		{"/", "sid=%78" + long[1:], long},
		{"/", "sid=%78" + long, ""},
		{"/cart;sid=42", "", "42"},
		{"/cart;v=1;sid=42/items", "", "42"},
		{"/cart;v=1/items;sid=a+b", "", "a+b"},
		{"/cart;sid=path", "sid=query", "query"},
		{"/cart;sid=path", "sid=", "path"},
		{"", "", ""},
	} {
		v := valueReader{
			method: &method{source: sourceQuery, name: "sid"}, state: &ConnState{},
			req: &fakeRequest{path: c.path, query: c.query},
		}
		if got := string(v.next()); got != c.want {
			t.Errorf("%s?%s: %q, want %q", c.path, c.query, got, c.want)
		}
		if more := v.next(); more != nil {
			t.Errorf("%s?%s: also %q", c.path, c.query, more)
		}
	}
}

func TestSegment(t *testing.T) {
	for _, c := range []struct {
		path string
		i    int
		want string
	}{
		{"/rooms/42/chat", 0, "rooms"},
		{"/rooms/42/chat", 1, "42"},
		{"/rooms/42/chat", 2, "chat"},
		{"/rooms/42/chat", 3, ""},
		{"/rooms/42/", 2, ""},
		{"/rooms//chat", 1, ""},
		{"/rooms//chat", 2, "chat"},
		{"/", 0, ""},
		{"*", 0, ""},
		{"", 0, ""},
	} {
		if got := string(segment([]byte(c.path), c.i)); got != c.want {
			t.Errorf("segment %d of %s is %q, want %q", c.i, c.path, got, c.want)
		}
	}
}

// The placement depends on the value, not on the source that it is read from.
func TestDecide_hashIgnoresSource(t *testing.T) {
	set := newSet("a b c d e f g")
	for _, value := range []string{"1", "2", "3", "4", "5"} {
		want := place(set, model.IdentityPod, model.HashString(value), true, nil)
		for name, c := range map[string]struct {
			method model.Method
			req    fakeRequest
		}{
			"cookie": {cookieHashed, fakeRequest{cookies: []string{"sid=" + value}}},
			"query":  {queryMethod, fakeRequest{query: "sid=%3" + value}},
			"path":   {pathMethod, fakeRequest{path: "/rooms/" + value}},
			"header": {headerMethod, fakeRequest{header: value}},
		} {
			var d Decision
			Compile(affinityOf(c.method)).Decide(&d, &c.req, set, nil, &ConnState{}, testNow)
			if d.Endpoint != want || d.Outcome != OutcomeHit || d.Issue {
				t.Errorf("%s by %s: endpoint %d, %s; want %d, hit", value, name, d.Endpoint, d.Outcome, want)
			}
		}
	}
}

func TestPolicy_hashedCookieIsForwarded(t *testing.T) {
	if names := Compile(affinityOf(cookieHashed, queryMethod)).CookieNames(); len(names) > 0 {
		t.Errorf("cookies %v would not be forwarded", names)
	}
}

func FuzzParameter(f *testing.F) {
	f.Add("/a;sid=1", "sid=%41+b&sid")
	f.Fuzz(func(t *testing.T, path, query string) {
		v := valueReader{
			method: &method{source: sourceQuery, name: "sid"}, state: &ConnState{},
			req: &fakeRequest{path: path, query: query},
		}
		if got := v.next(); len(got) > maxParameter {
			t.Errorf("a value of %d bytes", len(got))
		}
		for i := range 4 {
			if s := segment([]byte(path), i); strings.Contains(string(s), "/") {
				t.Errorf("segment %q", s)
			}
		}
	})
}
