package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestSetsHashedValue(t *testing.T) {
	cookie, header := ownMethod(model.SourceCookie, model.BindingHashed), ownMethod(model.SourceHeader, model.BindingHashed)
	mine := &fakeRequest{cookies: []string{"sid=mine"}, header: "mine"}
	for _, c := range []struct {
		name    string
		methods []model.Method
		req     *fakeRequest
		field   string
		value   string
		want    bool
	}{
		{"new cookie", []model.Method{cookie}, &fakeRequest{}, "Set-Cookie", "sid=new; Path=/", true},
		{"new header", []model.Method{header}, &fakeRequest{}, "x-session-id", "new", true},
		{"second method", []model.Method{header, cookie}, &fakeRequest{}, "Set-Cookie", "sid=new", true},
		{"before the address", []model.Method{cookie, addressMethod}, &fakeRequest{}, "Set-Cookie", "sid=new", true},
		{"replaced", []model.Method{cookie}, mine, "Set-Cookie", "sid=new", true},
		{"sent by the client", []model.Method{cookie}, mine, "Set-Cookie", "sid=mine; Max-Age=60", false},
		{"header sent by the client", []model.Method{header}, mine, "X-Session-Id", "mine", false},
		{"removed", []model.Method{cookie}, mine, "Set-Cookie", "sid=; Max-Age=0", false},
		{"another cookie", []model.Method{cookie}, &fakeRequest{}, "Set-Cookie", "lang=en", false},
		{"after a token", []model.Method{cookieMethod, header}, &fakeRequest{}, "X-Session-Id", "new", false},
		{"learned", []model.Method{ownMethod(model.SourceCookie, model.BindingLearned)}, &fakeRequest{}, "Set-Cookie", "sid=new", false},
	} {
		a := affinityOf(c.methods...)
		a.Source = model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}
		p := Compile(a)
		_, name, got := p.SetsHashedValue(c.req, &ConnState{}, []byte(c.field), []byte(c.value))
		if got != c.want || got && (name == "" || p.WatchesResponses() || p.Source() != a.Source) {
			t.Errorf("%s: %v %q, want %v", c.name, got, name, c.want)
		}
	}
}
