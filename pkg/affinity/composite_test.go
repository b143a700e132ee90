package affinity

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func compositeMethod(parts ...model.Part) model.Method {
	return model.Method{Source: model.SourceComposite, Binding: model.BindingHashed, Parts: parts}
}

var (
	hostPart   = model.Part{Source: model.SourceHost}
	headerPart = model.Part{Source: model.SourceHeader, Header: &model.Header{Name: "X-Session-Id"}}
	claimPart  = model.Part{
		Source: model.SourceHeader, Header: &model.Header{Name: "Authorization"}, JWTClaim: "sub",
	}
	cookiePart  = model.Part{Source: model.SourceCookie, Cookie: &model.Cookie{Name: "sid"}}
	queryPart   = model.Part{Source: model.SourceQueryParam, QueryParam: &model.QueryParam{Name: "room"}}
	addressPart = model.Part{
		Source: model.SourceSourceIP, SourceIP: &model.SourceIP{IPv4PrefixLength: 24, IPv6PrefixLength: 64},
	}
	allParts = []model.Part{
		hostPart, {Source: model.SourcePath}, {Source: model.SourceURI}, {Source: model.SourceMethod}, headerPart,
		cookiePart, queryPart, addressPart, {Source: model.SourceClientCertificate}, claimPart,
	}
)

// jwt returns an unsigned token with this payload.
func jwt(payload string) string {
	return "eyJhbGciOiJub25lIn0." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "."
}

func fullRequest() *fakeRequest {
	return &fakeRequest{
		host: "shop.example.com", path: "/rooms/42", query: "room=7&x=1", method: "GET", header: "h", ip: "192.0.2.7",
		cookies: []string{"a=b; sid=s1"}, cert: "certificate", bearer: "Bearer " + jwt(`{"sub":"alice"}`),
	}
}

func keyOf(t *testing.T, req *fakeRequest, parts ...model.Part) (uint64, bool) {
	t.Helper()
	p := Compile(affinityOf(compositeMethod(parts...)))
	return p.methods[0].hash(req, &ConnState{})
}

// Replicas and releases place sessions by these values. A change moves every session of a composite.
func TestComposite_goldenVectors(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []model.Part
		bytes string
		want  uint64
	}{
		{"host", []model.Part{hostPart}, "\x00\x00\x00\x10shop.example.com", 0x5e3c4e89e4744b73},
		{"host and header", []model.Part{hostPart, headerPart}, "\x00\x00\x00\x10shop.example.com\x00\x00\x00\x01h", 0x37bc048f6101e5ab},
		{"uri", []model.Part{{Source: model.SourceURI}}, "\x00\x00\x00\x09/rooms/42\x00\x00\x00\x0aroom=7&x=1", 0x9fc4842787d3da5a},
		{"address", []model.Part{addressPart}, "\x00\x00\x00\x04\xc0\x00\x02\x00", 0x4b1a170e1a77b396},
		{"claim", []model.Part{claimPart}, "\x00\x00\x00\x05alice", 0xd19587f3e81178eb},
		{"all", allParts, "", 0x750732becdb16a4a},
	} {
		got, ok := keyOf(t, fullRequest(), c.parts...)
		if !ok || got != c.want || c.bytes != "" && got != model.HashString(c.bytes) {
			t.Errorf("%s: %#x, want %#x; the hash of its encoding is %#x", c.name, got, c.want, model.HashString(c.bytes))
		}
	}
}

func TestComposite_needsEveryPart(t *testing.T) {
	if _, ok := keyOf(t, fullRequest(), allParts...); !ok {
		t.Fatal("a request with every part is not recognized")
	}
	for name, remove := range map[string]func(*fakeRequest){
		"host":        func(r *fakeRequest) { r.host = "" },
		"path":        func(r *fakeRequest) { r.path = "" },
		"method":      func(r *fakeRequest) { r.method = "" },
		"header":      func(r *fakeRequest) { r.header = "" },
		"cookie":      func(r *fakeRequest) { r.cookies = []string{"a=b; sid="} },
		"parameter":   func(r *fakeRequest) { r.query = "room=&x=1" },
		"address":     func(r *fakeRequest) { r.ip = "" },
		"certificate": func(r *fakeRequest) { r.cert = "" },
		"claim":       func(r *fakeRequest) { r.bearer = "Bearer " + jwt(`{"aud":"alice"}`) },
		"long values": func(r *fakeRequest) { r.query = "room=7&" + strings.Repeat("x", maxTotal) },
		"long header": func(r *fakeRequest) { r.header = strings.Repeat("x", maxValue+1) },
	} {
		req := fullRequest()
		remove(req)
		if key, ok := keyOf(t, req, allParts...); ok {
			t.Errorf("without %s: hashed to %#x", name, key)
		}
	}
}

// The values "ab", "c" must not have the same hash as "a", "bc".
func TestComposite_unambiguous(t *testing.T) {
	seen := map[uint64]string{}
	for _, c := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"c", "ab"}, {"a", "\x00\x00\x00\x01b"}, {"a\x00\x00\x00\x01", "b"}} {
		key, ok := keyOf(t, &fakeRequest{host: c[0], header: c[1]}, hostPart, headerPart)
		if other, taken := seen[key]; taken || !ok {
			t.Errorf("%q has the hash of %s", c, other)
		}
		seen[key] = c[0] + "+" + c[1]
	}
	uri := model.Part{Source: model.SourceURI}
	one, _ := keyOf(t, &fakeRequest{path: "/a", query: "b"}, uri)
	if two, _ := keyOf(t, &fakeRequest{path: "/a?b"}, uri); one == two {
		t.Error("a path with a question mark has the hash of a path and a query")
	}
}

func TestDecide_composite(t *testing.T) {
	p, set := Compile(affinityOf(compositeMethod(hostPart, headerPart), addressMethod)), newSet("a b c")
	var d Decision
	placed := map[string]bool{}
	for _, host := range []string{"one.test", "two.test", "three.test", "four.test", "five.test"} {
		p.Decide(&d, &fakeRequest{host: host, header: "h", ip: ipOnA}, set, nil, &ConnState{}, testNow)
		if outcomeOf(&d) != "hit" || d.Method != 0 {
			t.Errorf("%s: %s by method %d", host, outcomeOf(&d), d.Method)
		}
		placed[set.name(d.Endpoint)] = true
	}
	if len(placed) < 2 {
		t.Errorf("the host has no influence: all are on %v", placed)
	}
	p.Decide(&d, &fakeRequest{host: "one.test", ip: ipOnA}, set, nil, &ConnState{}, testNow)
	if d.Method != 1 {
		t.Errorf("without the header, method %d decides, want the next one", d.Method)
	}
}

func TestExplain_composite(t *testing.T) {
	p, set := Compile(affinityOf(compositeMethod(hostPart, claimPart, model.Part{Source: model.SourceURI}))), newSet("a b c")
	var d Decision
	f := p.Explain(&d, fullRequest(), set, nil, &ConnState{}, testNow)
	if len(f) != 1 || f[0].Result != ResultHashed || f[0].Name != "Host, Header Authorization (claim sub), URI" ||
		f[0].Value != `"shop.example.com", "alice", "/rooms/42?room=7&x=1"` || f[0].Endpoint != d.Endpoint {
		t.Errorf("found %+v", f)
	}
	f = p.Explain(&d, &fakeRequest{host: "shop.example.com"}, set, nil, &ConnState{}, testNow)
	if len(f) != 1 || f[0].Result != ResultAbsent || f[0].Value != "" {
		t.Errorf("found %+v", f)
	}
}
